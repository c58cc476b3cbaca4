"""The loader of a contract's model: the default one, or the vendor's own."""

from typing import TYPE_CHECKING

from contract_watch.contracts.model import Model
from contract_watch.contracts.vendor_package import import_model
from contract_watch.errors import UsageError

if TYPE_CHECKING:
    from contract_watch.contracts.registry import Contract


def load_model(contract: "Contract") -> Model:
    """Load the model of ``contract``.

    Without ``model.py`` it is the default model. A class ``Model`` in ``model.py`` derives from that one; a function
    ``build`` returns any other model, from the effective and the published document.
    """
    if not (contract.directory / "model.py").is_file():
        from contract_watch.contracts.resource.model import ResourceModel  # noqa: PLC0415 (it reads contracts)

        return ResourceModel(contract)
    module = import_model(contract.slug, contract.directory)
    if hasattr(module, "Model"):
        model: Model = module.Model(contract)
        return model
    if not hasattr(module, "build"):
        raise UsageError(
            f"{contract.directory / 'model.py'}: has neither a class `Model` nor a function `build`; add one"
        )
    built: Model = module.build(contract.effective, contract.published)
    return built
