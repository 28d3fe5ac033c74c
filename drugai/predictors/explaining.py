"""Why a prediction is what it is: what each atom adds, found by taking it away.

A graph network predicts the molecule's graph once more without the atom and its bonds; a language model reads the SMILES once more with the atom's token hidden; every other model predicts the molecule with the atom put out of sight (a dummy
atom, so that each fragment and descriptor that needs it is gone). An ensemble adds its members up by their weights. What the prediction loses is the atom's
contribution: it is in the task's unit, a number that a chemist can check by making the change.

Source: occlusion, Zeiler and Fergus, ECCV 2014 (10.1007/978-3-319-10590-1_53); for molecules Sheridan, J. Chem. Inf. Model. 2019, 59, 1324 (10.1021/acs.jcim.8b00825).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem, rdBase

from drugai.errors import E_FEATURIZE, ConfigError, reason, unknown
from drugai.featurizers.graphs import MolecularGraphs, concatenate, featurize_graphs
from drugai.molecules import MoleculeBatch
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.ensemble import EnsemblePredictor
from drugai.predictors.gnn import GNNPredictor
from drugai.predictors.language import LanguagePredictor
from drugai.predictors.scales import SCALES

MOST_ATOMS = 300
"""Heavy atoms beyond which a molecule is not explained: the cost grows with their square."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """What the atoms of one molecule add to its prediction.

    Attributes:
        smiles: As given; atoms are counted in its order.
        task: The task explained.
        prediction: Of the whole molecule, in the task's unit (or probability of class 1); NaN where there is a reason.
        atoms: ``[V]`` the prediction minus that without the atom; positive: the atom raises it. NaN where the rest is no molecule.
        reason: Why there is no explanation, or ``""``.
    """

    smiles: str
    task: str
    prediction: float
    atoms: np.ndarray
    reason: str = ""

    def top(self, share: float = 0.2) -> np.ndarray:
        """The ``ceil(share * V)`` atoms that carry most: those with the largest contributions of the sign that weighs more in all, strongest first."""
        values = np.nan_to_num(self.atoms)
        sign = 1.0 if values[values > 0].sum() >= -values[values < 0].sum() else -1.0
        return np.argsort(-sign * values, kind="stable")[: int(np.ceil(share * len(values)))]

    def words(self) -> list[tuple[int, str, float]]:
        """(atom, symbol, contribution), strongest first: the explanation as a table, for a molecule too large to be drawn."""
        mol = Chem.MolFromSmiles(self.smiles)
        order = np.argsort(-np.abs(np.nan_to_num(self.atoms)), kind="stable")
        return [(int(atom), mol.GetAtomWithIdx(int(atom)).GetSymbol(), float(self.atoms[atom])) for atom in order]


def explain(predictor: TrainedPredictor, molecules: Sequence[str] | MoleculeBatch, *, task: str | None = None) -> list[Explanation]:
    """Explain n molecules: one more prediction an atom (about 2 ms a molecule for a graph network, up to 0.2 s where descriptors are computed).

    Args:
        predictor: A trained model of any kind.
        molecules: n SMILES or a MoleculeBatch.
        task: Which task; the first by default.

    Returns:
        n explanations in the same order; an unreadable molecule, or one of more than 300 heavy atoms, has a reason and no atoms.

    Raises:
        ConfigError: The model has no such task, or it is one of several classes.

    Example:
        >>> explain(model, ["CCO"])[0].atoms.round(2)   # doctest: +SKIP
        array([-0.41, -0.2 ,  1.13])
    """
    names = [each.name for each in predictor.tasks]
    if task is not None and task not in names:
        raise unknown("task", task, names)
    index = names.index(task) if task is not None else 0
    if predictor.tasks[index].kind == "multiclass":
        raise ConfigError(f"task {names[index]!r} has several classes; an explanation needs one number: a regression or a task of two classes")
    batch = MoleculeBatch.of(molecules)
    found = []
    for smi, mol, why in zip(batch.smiles, batch.mols, batch.reasons, strict=True):
        why = why or ("" if mol is None or 0 < mol.GetNumAtoms() <= MOST_ATOMS else reason(E_FEATURIZE, f"{mol.GetNumAtoms()} atoms; 1 to {MOST_ATOMS} can be explained"))
        if why or mol is None:
            found.append(Explanation(smi, names[index], float("nan"), np.zeros(0, np.float32), why))
            continue
        values = predict_without(predictor, smi, [(), *((atom,) for atom in range(mol.GetNumAtoms()))], index)
        found.append(Explanation(smi, names[index], float(values[0]), (values[0] - values[1:]).astype(np.float32)))
    return found


def predict_without(predictor: TrainedPredictor, smi: str, removed: Sequence[Sequence[int]], task: int = 0) -> np.ndarray:
    """``[k]`` float64 predictions of one molecule without each of k sets of atoms; an empty set is the whole molecule. NaN where the rest is no molecule.

    Args:
        predictor: A trained model.
        smi: A readable SMILES; atoms are counted in its order.
        removed: k sets of atom numbers.
        task: Number of the task.
    """
    if isinstance(predictor, EnsemblePredictor):
        used = [(predict_without(member, smi, removed, task), weight) for member, weight in zip(predictor.members, predictor.weights, strict=True) if weight > 0]
        # a member that cannot read the molecule at all takes no part in its prediction either
        able = [(values, weight) for values, weight in used if not np.isnan(values).all()] or used
        mixed = sum(weight * values for values, weight in able) / sum(weight for _, weight in able)
        return np.asarray(SCALES[predictor.scales[task]].back(mixed))
    column = sum(each.n_classes if each.kind == "multiclass" else 1 for each in predictor.tasks[:task])
    if isinstance(predictor, GNNPredictor):
        whole = MoleculeBatch([smi])
        graphs, features = featurize_graphs(whole), predictor.features(whole)
        outputs = predictor.predict_graphs(
            concatenate([without_atoms(graphs, atoms) for atoms in removed]), None if features is None else np.repeat(features, len(removed), axis=0)
        )
        return np.asarray(outputs.mean(0)[:, column], dtype=np.float64)
    if isinstance(predictor, LanguagePredictor) and (hidden := predictor.predict_hidden(smi, removed)) is not None:
        return np.asarray(hidden.mean(0)[:, column], dtype=np.float64)
    texts = [hidden_atoms(smi, atoms) for atoms in removed]
    fine = np.array([bool(text) for text in texts])
    values = np.full(len(removed), np.nan)
    outputs, reasons = predictor.predict_members(MoleculeBatch([text for text in texts if text]))
    values[fine] = np.where([bool(why) for why in reasons], np.nan, outputs.mean(0)[:, column])
    return values


def without_atoms(graphs: MolecularGraphs, atoms: Sequence[int]) -> MolecularGraphs:
    """One molecule's graph without some atoms and their bonds. The last atom of all is kept: a graph needs one."""
    kept = np.ones(len(graphs.atoms), dtype=bool)
    kept[list(atoms)] = False
    if not kept.any():
        kept[0] = True
    number = np.cumsum(kept) - 1
    bonds = kept[graphs.ends].all(axis=1)
    return MolecularGraphs(
        graphs.atoms[kept],
        number[graphs.ends[bonds]].astype(np.int32),
        graphs.bonds[bonds],
        np.array([kept.sum()], dtype=np.int32),
        np.array([bonds.sum()], dtype=np.int32),
        graphs.reasons,
    )


def hidden_atoms(smi: str, atoms: Sequence[int]) -> str:
    """The SMILES with some atoms as dummy atoms; ``""`` where RDKit reads no molecule in it.

    Example:
        >>> hidden_atoms("CCO", [2])
        '*CC'
    """
    if not atoms:
        return smi
    with rdBase.BlockLogs():
        mol = Chem.RWMol(Chem.MolFromSmiles(smi))
    for number in atoms:
        atom = mol.GetAtomWithIdx(int(number))
        atom.SetAtomicNum(0)
        atom.SetFormalCharge(0)
        atom.SetIsotope(0)
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
        atom.SetNumExplicitHs(0)
        atom.SetNoImplicit(True)
    with rdBase.BlockLogs():  # a ring that is not aromatic any more is no molecule: the answer says so, RDKit need not
        try:
            text = Chem.MolToSmiles(mol)
        except Chem.KekulizeException:
            return ""
        return text if Chem.MolFromSmiles(text) is not None else ""
