"""Drives joserfc, a JOSE library without DIDComm: envelopes as JWE and JWS. One JSON object a line."""

import json
import sys

from joserfc import jwe, jws
from joserfc.drafts.jwe_chacha20 import register_chacha20_poly1305
from joserfc.drafts.jwe_ecdh_1pu import register_ecdh_1pu
from joserfc.jwk import ECKey, OKPKey

register_ecdh_1pu()
register_chacha20_poly1305()
REGISTRY = jwe.JWERegistry(
    algorithms=["ECDH-ES+A256KW", "ECDH-1PU+A256KW", "XC20P", "A256GCM", "A256CBC-HS512"],
    strict_check_header=False,
)
SIGNED = jws.JWSRegistry(algorithms=["EdDSA", "Ed25519", "ES256", "ES256K"], strict_check_header=False)


def key(jwk):
    return (OKPKey if jwk["kty"] == "OKP" else ECKey).import_key(jwk)


def decrypt(envelope, keys, sender=None):
    """What each recipient's private key finds; `keys` by kid."""
    sender_key = None if sender is None else key(sender)
    found = {}
    for kid, jwk in keys.items():
        rows = [row for row in envelope["recipients"] if row["header"]["kid"] == kid]
        one = {**envelope, "recipients": rows}
        found[kid] = jwe.decrypt_json(
            one, key(jwk), registry=REGISTRY, sender_key=sender_key
        ).plaintext.decode()
    return found


def encrypt(protected, plaintext, kid, recipient, sender=None):
    """A JWE for one public key. In its JSON forms joserfc puts `epk` beside the recipient, where DIDComm does
    not allow it; in its compact form everything is in the protected header."""
    sender_key = None if sender is None else key(sender)
    compact = jwe.encrypt_compact(
        protected, plaintext.encode(), key(recipient), registry=REGISTRY, sender_key=sender_key
    )
    head, encrypted_key, iv, ciphertext, tag = compact.split(".")
    row = {"header": {"kid": kid}, "encrypted_key": encrypted_key}
    return {"protected": head, "recipients": [row], "iv": iv, "ciphertext": ciphertext, "tag": tag}


def verify(envelope, jwk):
    return jws.deserialize_json(envelope, key(jwk), registry=SIGNED).payload.decode()


def sign(protected, header, payload, jwk, flattened):
    member = {"protected": protected, "header": header}
    return jws.serialize_json(member if flattened else [member], payload.encode(), key(jwk), registry=SIGNED)


def main():
    operations = {"decrypt": decrypt, "encrypt": encrypt, "verify": verify, "sign": sign}
    for line in sys.stdin:
        command = json.loads(line)
        try:
            result = {"result": operations[command.pop("op")](**command)}
        except Exception as error:  # whatever it says is the answer
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)


main()
