"""Directions in other tools' files: one made file of each kind, read or refused with its reason."""
import pickle

import numpy as np
import pytest
import torch

from engine.directions.foreign import read_edits, read_foreign
from engine.errors import UserError
from tests.conftest import tiny

W = 16


def rows(count, seed=0):
    """Unit rows at right angles."""
    return np.linalg.qr(np.random.RandomState(seed).randn(W, W))[0][:count].astype(np.float32)


def cache(tmp_path, **more):
    """A cache of GANSpace."""
    held = dict(act_comp=rows(3)[:, None], act_mean=np.zeros((1, W)), act_stdev=np.ones(3), lat_comp=rows(3)[:, None], lat_mean=np.full((1, W), 0.25, np.float32),
                lat_stdev=np.array([3.0, 2.0, 1.5], np.float32), var_ratio=np.array([0.5, 0.25, 0.1], np.float32), random_stdevs=np.ones(3)) | more
    np.savez(tmp_path / "stylegan2-own_style_ipca_c3_n1000_w.npz", **held)
    return tmp_path / "stylegan2-own_style_ipca_c3_n1000_w.npz"


def test_a_ganspace_cache(tmp_path):
    found = read_foreign(cache(tmp_path), tiny())
    assert len(found) == 3 and found.names[0].endswith("-1") and found.unit.tolist() == [3.0, 2.0, 1.5] and found.explained[0] == 0.5
    assert torch.allclose(found.vectors, torch.from_numpy(rows(3))) and found.mean.tolist() == [0.25] * W


def test_a_cache_of_z_is_refused(tmp_path):
    with pytest.raises(UserError, match="components of z"):
        read_foreign(cache(tmp_path, lat_stdev=np.ones(3, np.float32)), tiny())


def export(**more):
    return dict(name="smile", sigma_range=np.float64(2.0), component_index=4, act_comp=np.zeros(3), lat_comp=rows(1)[None], latent_space="W", act_stdev=1.0,
                lat_stdev=2.5, model_name="StyleGAN2", output_class="own", decomposition={"name": "ipca"}, edit_type="latent", truncation=1.0,
                edit_start=4, edit_end=6, example_seed=1) | more


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_ganspace_export(tmp_path, protocol):
    (tmp_path / "d.pkl").write_bytes(pickle.dumps(export(), protocol))
    found = read_foreign(tmp_path / "d.pkl", tiny())
    assert found.names == ("smile",) and found.ranges == ((4, 6),) and found.unit.tolist() == [2.5]
    assert torch.allclose(found.vectors, torch.from_numpy(rows(1)))


@pytest.mark.parametrize("more, told", [({"latent_space": "Z"}, "only latent edits in W"), ({"edit_type": "activation"}, "only latent edits in W")])
def test_exports_that_cannot_be_played(tmp_path, more, told):
    (tmp_path / "d.pkl").write_bytes(pickle.dumps(export(**more), 3))
    with pytest.raises(UserError, match=told):
        read_foreign(tmp_path / "d.pkl", tiny())


class Harm:
    def __reduce__(self):
        import os

        return os.system, ("true",)


def test_a_pickle_that_would_run_is_refused(tmp_path):
    (tmp_path / "d.pkl").write_bytes(pickle.dumps({"lat_comp": Harm(), "component_index": 1}))
    with pytest.raises(UserError, match="refused"):
        read_foreign(tmp_path / "d.pkl", tiny())
    np.save(tmp_path / "o.npy", np.array([{"a": 1}], dtype=object))
    with pytest.raises(UserError, match="pickled objects, which are not read"):
        read_foreign(tmp_path / "o.npy", tiny())


def test_factors_are_columns(tmp_path):
    square = torch.from_numpy(np.linalg.qr(np.random.RandomState(5).randn(W, W))[0]).float()
    torch.save({"ckpt": "a.pt", "eigvec": square}, tmp_path / "factor.pt")
    found = read_foreign(tmp_path / "factor.pt", tiny())
    assert len(found) == W and torch.allclose(found.vectors, square.T, atol=1e-6)


def test_components_with_a_mean(tmp_path):
    torch.save({"mean": torch.ones(1, W), "comp": torch.from_numpy(rows(4))[:, None], "std": torch.arange(1.0, 5.0)}, tmp_path / "cars_pca.pt")
    found = read_foreign(tmp_path / "cars_pca.pt", tiny())
    assert found.unit.tolist() == [1, 2, 3, 4] and found.mean.tolist() == [1.0] * W


@pytest.mark.parametrize("shape, count", [((W,), 1), ((1, W), 1), ((3, W), 3), ((1, 1, W), 1)])
@pytest.mark.parametrize("kind", ["float32", "float64", "pt"])
def test_boundaries(tmp_path, shape, count, kind):
    array = rows(3)[:count].reshape(shape)
    path = tmp_path / ("smile_boundary.pt" if kind == "pt" else "smile_boundary.npy")
    torch.save(torch.from_numpy(array.copy()), path) if kind == "pt" else np.save(path, array.astype(kind))
    found = read_foreign(path, tiny())
    assert len(found) == count and found.names[0].startswith("smile_boundary") and (found.unit > 1e-3).all()
    assert torch.allclose(found.vectors, torch.from_numpy(rows(3)[:count]), atol=1e-6)


def test_one_for_each_of_the_ws_keeps_its_magnitudes(tmp_path):
    array = np.tile(rows(1), (8, 1)) * np.arange(1, 9, dtype=np.float32)[:, None]
    np.save(tmp_path / "age.npy", array)
    found = read_foreign(tmp_path / "age.npy", tiny())
    assert found.vectors.shape == (1, 8, W) and torch.allclose(found.vectors[0] * found.unit[0], torch.from_numpy(array), atol=1e-5)
    alike = np.tile(rows(1), (1, 8, 1))
    np.save(tmp_path / "alike.npy", alike)
    assert torch.allclose(read_foreign(tmp_path / "alike.npy", tiny()).vectors[0], torch.from_numpy(alike[0]), atol=1e-6)


def test_those_of_a_larger_network_are_cut_and_of_a_smaller_refused(tmp_path):
    for n, name in ((10, "larger"), (6, "smaller")):
        np.save(tmp_path / f"{name}.npy", np.tile(rows(1), (1, n, 1)))
    assert read_foreign(tmp_path / "larger.npy", tiny()).vectors.shape == (1, 8, W)
    with pytest.raises(UserError, match="for 6 ws; this network has 8"):
        read_foreign(tmp_path / "smaller.npy", tiny())


@pytest.mark.parametrize("array, told", [(np.ones((2, 24)), "as this network's w has"), (np.full((1, W), np.nan), "NaN"), (np.zeros((1, W)), "all 0"), (np.array("x"), "expected an array|no directions")])
def test_wrong_arrays(tmp_path, array, told):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(UserError, match=told):
        read_foreign(tmp_path / "x.npy", tiny())


def test_a_list_of_edits(tmp_path):
    base = read_foreign(cache(tmp_path), tiny())
    (tmp_path / "list.tsv").write_text("component\tlayers\tstrength\tname\n0\t0-3\t2\tturn head\n2\t5\t-20\tsmile\n")
    found = read_edits(tmp_path / "list.tsv", base, tiny())
    assert found.names == ("turn-head", "smile") and found.ranges == ((0, 4), (5, 6)) and found.unit.tolist() == [6.0, 30.0]
    assert torch.allclose(found.vectors[1], -base.vectors[2])
    (tmp_path / "bad.csv").write_text("component,layers,strength,name\n9,0-3,2,x\n")
    with pytest.raises(UserError, match="line 2: expected a component 0..2"):
        read_edits(tmp_path / "bad.csv", base, tiny())
