# drugai on an NVIDIA GPU:
#   docker build -t drugai .
#   docker run --rm --gpus all -v "$PWD:/work" drugai drugai doctor
# `drugai serve` listens on the loopback address alone: add --network host. Data sets are kept with -e DRUGAI_DATA=/work/data.
# It was written against the public tags of PyTorch's images and has not been built by our continuous integration, which has no GPU and no Docker. `drugai doctor` inside it says what
# works. Another torch of the range in pyproject.toml does as well: --build-arg BASE=pytorch/pytorch:<tag>.
ARG BASE=pytorch/pytorch:2.7.1-cuda12.8-cudnn9-runtime
FROM ${BASE}
# what the wheels of RDKit (the first three) and LightGBM take from the system
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends libxrender1 libxext6 libexpat1 libgomp1 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/drugai
COPY pyproject.toml README.md LICENSE CHANGELOG.md constraints.txt ./
COPY drugai drugai
COPY datasets datasets
# The image's torch stays. Our pin of it and of what it pins itself (torch 2.6 wants one sympy alone) are taken out and the image's own version is put in: else pip would fetch another torch.
# Newer images carry a Python that its distribution manages; here the image is the environment.
RUN grep -vE '^(torch|sympy|mpmath|networkx|filelock|fsspec)==' constraints.txt > /tmp/constraints.txt \
 && python -c 'import torch; print("torch==" + torch.__version__)' >> /tmp/constraints.txt \
 && PIP_BREAK_SYSTEM_PACKAGES=1 python -m pip install --no-cache-dir --constraint /tmp/constraints.txt '.[text,report,app,tuning]' \
 && rm /tmp/constraints.txt
WORKDIR /work
CMD ["drugai", "--help"]
