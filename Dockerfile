# drugai on an NVIDIA GPU:
#   docker build -t drugai .
#   docker run --rm --gpus all -v "$PWD:/work" drugai drugai doctor
# It was written against the public tags of PyTorch's images and has not been built by our continuous integration, which has no GPU and no Docker. `drugai doctor` inside it says what
# works. Another torch of the range in pyproject.toml does as well: --build-arg BASE=pytorch/pytorch:<tag>.
ARG BASE=pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime
FROM ${BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends libxrender1 libxext6 libexpat1 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/drugai
COPY pyproject.toml README.md LICENSE CHANGELOG.md constraints.txt ./
COPY drugai drugai
COPY datasets datasets
# the image's torch stays: its line is taken out of the constraints, and pip finds the requirement met
RUN grep -v '^torch==' constraints.txt > /tmp/constraints.txt && pip install --no-cache-dir --constraint /tmp/constraints.txt '.[text,report,app,tuning]'
WORKDIR /work
CMD ["drugai", "--help"]
