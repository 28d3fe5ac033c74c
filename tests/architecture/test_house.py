"""The house's own rules, checked on the syntax tree and in fresh processes."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "drugai"
FILES = sorted(PACKAGE.rglob("*.py"))


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_t16_nothing_in_the_package_unpickles_or_evaluates():
    forbidden = {"eval", "exec", "pickle.load", "pickle.loads", "joblib.load", "yaml.load", "yaml.unsafe_load", "marshal.loads", "shelve.open"}
    found = []
    for file in FILES:
        for name, node in calls(ast.parse(file.read_text())):
            if name in forbidden or name.endswith(".extractall"):
                found.append(f"{file.name}:{node.lineno} {name}")
            for keyword in node.keywords:
                value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
                if (keyword.arg == "weights_only" and value is not True) or (keyword.arg == "trust_remote_code" and value is not False):
                    found.append(f"{file.name}:{node.lineno} {keyword.arg}")
            if name == "torch.load" and not any(keyword.arg == "weights_only" for keyword in node.keywords):
                found.append(f"{file.name}:{node.lineno} torch.load without weights_only")
            if name.endswith(".from_pretrained") and not any(keyword.arg == "trust_remote_code" for keyword in node.keywords):
                found.append(f"{file.name}:{node.lineno} from_pretrained without trust_remote_code=False")
    assert not found, found


def test_no_exception_is_swallowed_bare():
    found = []
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ExceptHandler) and (node.type is None or (len(node.body) == 1 and isinstance(node.body[0], ast.Pass) and ast.unparse(node.type) == "Exception")):
                found.append(f"{file.name}:{node.lineno}")
    assert not found, found


def test_only_interop_imports_deepchem_and_only_tuning_imports_optuna():
    found = []
    for file in FILES:
        room = file.relative_to(PACKAGE).parts[0]
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.split(".")[0]
                if (top == "deepchem" and room != "interop") or (top == "optuna" and room != "tuning"):
                    found.append(f"{file.relative_to(PACKAGE)}:{node.lineno} {name}")
    assert not found, found


def modules_after(code: str) -> tuple[list[str], float]:
    """What is imported after ``code``, and the least CPU-seconds of three fresh interpreters: other work on the machine only adds to them."""
    script = f"import os, sys, json\n{code}\nt = os.times()\nprint(json.dumps([sorted({{name.split('.')[0] for name in sys.modules}}), t.user + t.system]))"
    found = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
        assert done.stderr == ""
        found.append(json.loads(done.stdout.splitlines()[-1]))
    return found[0][0], min(seconds for _, seconds in found)


def test_t21_importing_drugai_is_cheap_and_silent():
    modules, seconds = modules_after("import drugai")
    assert not {"torch", "transformers", "torch_geometric", "deepchem", "sklearn", "pandas", "rdkit", "optuna"} & set(modules)
    assert seconds <= 0.3


def test_t21_help_imports_nothing_heavy():
    modules, seconds = modules_after("from drugai.cli.app import app\nsys.argv = ['drugai', '--help']\ntry:\n    app()\nexcept SystemExit:\n    pass")
    assert not {"torch", "transformers", "torch_geometric", "deepchem", "sklearn", "pandas", "optuna"} & set(modules)
    assert seconds <= 0.5


def test_the_language_model_works_where_the_folder_datasets_shadows_a_package():
    code = "import drugai.models.language, drugai.featurizers.tokens as t\nv = t.Vocabulary.from_corpus(['CCO', 'c1ccccc1'])\nv.to_transformers()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=PACKAGE.parent)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_floors_hold():
    done = subprocess.run([str(Path(sys.executable).parent / "lint-imports")], capture_output=True, text=True, check=False, cwd=PACKAGE.parent)
    assert done.returncode == 0, done.stdout[-3000:]
