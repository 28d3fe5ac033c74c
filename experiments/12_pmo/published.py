"""Published AUC top-10 of PMO, mean of five seeds (pmo-benchmark.github.io)."""

from __future__ import annotations

COLUMNS = ("REINVENT", "Graph GA", "SELFIES-REINVENT", "GP BO", "STONED", "LSTM HC", "SMILES GA", "Screening")
_ROWS = """
albuterol_similarity 0.882 0.838 0.826 0.898 0.745 0.719 0.661 0.483
amlodipine_mpo 0.635 0.661 0.607 0.583 0.608 0.593 0.549 0.535
celecoxib_rediscovery 0.713 0.630 0.573 0.723 0.382 0.539 0.344 0.351
deco_hop 0.666 0.619 0.631 0.629 0.611 0.826 0.611 0.590
fexofenadine_mpo 0.784 0.760 0.741 0.722 0.797 0.725 0.721 0.666
isomers_c7h8n2o2 0.852 0.862 0.849 0.680 0.899 0.485 0.913 0.168
isomers_c9h10n2o2pf2cl 0.642 0.719 0.733 0.469 0.805 0.342 0.860 0.106
median1 0.356 0.294 0.355 0.301 0.266 0.255 0.192 0.205
median2 0.276 0.273 0.255 0.297 0.245 0.248 0.198 0.200
mestranol_similarity 0.618 0.579 0.620 0.627 0.609 0.526 0.469 0.409
osimertinib_mpo 0.837 0.831 0.820 0.787 0.822 0.796 0.817 0.764
perindopril_mpo 0.537 0.538 0.517 0.493 0.488 0.489 0.447 0.445
qed 0.941 0.940 0.940 0.937 0.941 0.939 0.940 0.938
ranolazine_mpo 0.760 0.728 0.748 0.735 0.765 0.714 0.699 0.411
scaffold_hop 0.560 0.517 0.525 0.548 0.521 0.533 0.494 0.471
sitagliptin_mpo 0.021 0.433 0.194 0.186 0.393 0.066 0.363 0.022
thiothixene_rediscovery 0.534 0.479 0.495 0.559 0.367 0.438 0.315 0.317
troglitazone_rediscovery 0.441 0.390 0.348 0.410 0.320 0.354 0.263 0.249
valsartan_smarts 0.178 0.000 0.000 0.000 0.000 0.000 0.000 0.000
zaleplon_mpo 0.358 0.346 0.333 0.221 0.325 0.206 0.334 0.072
"""
PUBLISHED: dict[str, dict[str, float]] = {
    name: {line.split()[0]: float(line.split()[1 + column]) for line in _ROWS.split("\n") if line} for column, name in enumerate(COLUMNS)
}
"""Method → task → AUC top-10."""
