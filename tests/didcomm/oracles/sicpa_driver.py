"""Drives PyPI's `didcomm` (SICPA) in its own environment: reads commands, one JSON object a line."""

import asyncio
import json
import sys
import time

from didcomm.common.algorithms import AnonCryptAlg
from didcomm.common.resolvers import ResolversConfig
from didcomm.common.types import VerificationMaterial, VerificationMaterialFormat
from didcomm.did_doc.did_doc import DIDDoc
from didcomm.did_doc.did_resolver_in_memory import DIDResolverInMemory
from didcomm.message import FromPrior, Message
from didcomm.pack_encrypted import PackEncryptedConfig, PackEncryptedParameters, pack_encrypted
from didcomm.pack_signed import pack_signed
from didcomm.secrets.secrets_resolver import Secret
from didcomm.secrets.secrets_resolver_in_memory import SecretsResolverInMemory
from didcomm.unpack import unpack

ENCS = {alg.value.enc: alg for alg in AnonCryptAlg}
# The library compares key types by identity, so only an interned text is ever recognised.
JWK_TYPE = sys.intern("JsonWebKey2020")
world = None


def load(documents, secrets):
    global world
    docs = []
    for raw in documents:
        doc = DIDDoc.deserialize({"service": [], **raw})
        for method in doc.verification_method:
            object.__setattr__(method, "type", JWK_TYPE)
        docs.append(doc)
    held = [
        Secret(kid, JWK_TYPE, VerificationMaterial(VerificationMaterialFormat.JWK, json.dumps(jwk)))
        for kid, jwk in secrets.items()
    ]
    world = ResolversConfig(
        secrets_resolver=SecretsResolverInMemory(held), did_resolver=DIDResolverInMemory(docs)
    )


def message_of(raw):
    raw = dict(raw)
    prior = raw.pop("from_prior", None)
    message = Message.from_dict({"typ": "application/didcomm-plain+json", **raw})
    if prior is not None:
        message.from_prior = FromPrior.from_dict(prior)
    return message


async def pack(kind, message, to=None, sender=None, signer=None, enc="XC20P"):
    message = message_of(message)
    if kind == "signed":
        return (await pack_signed(world, message, signer)).packed_msg
    config = PackEncryptedConfig(
        enc_alg_anon=ENCS[enc], protect_sender_id=kind == "anoncrypt_authcrypt", forward=False
    )
    parameters = PackEncryptedParameters()
    packed = await pack_encrypted(
        world, message, to, frm=sender, sign_frm=signer, pack_config=config, pack_params=parameters
    )
    return packed.packed_msg


async def open_(packed):
    result = await unpack(world, packed)
    metadata = result.metadata
    return {
        "message": result.message.as_dict(),
        "authenticated": metadata.authenticated,
        "encrypted": metadata.encrypted,
        "signed": metadata.non_repudiation,
        "anonymous_sender": metadata.anonymous_sender,
    }


async def pairs_per_cpu_second(message, seconds, **options):
    """How many times per second of CPU a message is packed and unpacked."""
    best = 0.0
    for _ in range(3):
        count, began = 0, time.process_time()
        while (spent := time.process_time() - began) < seconds / 3:
            await unpack(world, await pack(message=message, **options))
            count += 1
        best = max(best, count / spent)
    return {"pairs_per_cpu_s": best, "bytes": len(await pack(message=message, **options))}


async def answer(command):
    match command.pop("op"):
        case "world":
            return load(**command)
        case "pack":
            return await pack(**command)
        case "unpack":
            return await open_(**command)
        case "time":
            return await pairs_per_cpu_second(**command)
    raise ValueError("an unknown command")


def main():
    loop = asyncio.new_event_loop()
    for line in sys.stdin:
        try:
            result = {"result": loop.run_until_complete(answer(json.loads(line)))}
        except Exception as error:  # whatever it says is the answer
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)


main()
