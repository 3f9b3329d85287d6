"""The wire's signatures, against vectors that every implementation shares."""

import json
import unittest
from pathlib import Path

from aion_sdk.syscall import Signer, canonical_v2, signature_v1, signature_v2

VECTORS = Path(__file__).parents[2] / "conformance" / "signatures.json"


class SignatureVectors(unittest.TestCase):
    def setUp(self):
        self.cases = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]

    def test_each_vector_is_signed_as_written(self):
        for case in self.cases:
            with self.subTest(case["name"]):
                secret = case["secret"].encode("utf-8")
                body = case["body"].encode("utf-8")
                if case["version"] == 1:
                    signature = signature_v1(secret, body)
                else:
                    canonical = canonical_v2(
                        case["method"],
                        case["target"],
                        case["tenant"],
                        case["key_id"],
                        case["timestamp"],
                        case["nonce"],
                        body,
                    )
                    self.assertEqual(canonical, case["canonical"])
                    signature = signature_v2(secret, canonical)

                self.assertEqual(signature, case["signature"])

    def test_a_signer_sends_each_v2_vector_in_its_headers(self):
        for case in self.cases:
            if case["version"] == 1:
                continue
            with self.subTest(case["name"]):
                signer = Signer(
                    case["tenant"],
                    case["secret"],
                    None if case["key_id"] == "tenant-secret" else case["key_id"],
                    2,
                    clock=lambda case=case: int(case["timestamp"]) / 1000,
                    nonce=lambda case=case: case["nonce"],
                )

                headers = signer.headers(case["method"], case["target"], case["body"].encode())

                self.assertEqual(headers["X-Sig-HMAC"], case["signature"])
                self.assertEqual(headers["X-Sig-Key"], case["key_id"])
                self.assertEqual(headers["X-Sig-Timestamp"], case["timestamp"])
                self.assertEqual(headers["X-Sig-Nonce"], case["nonce"])
                self.assertEqual(headers["X-Tenant-Id"], case["tenant"])
                self.assertEqual(headers["X-Sig-Version"], "2")

    def test_the_vectors_cover_both_versions_and_the_cases_that_differ(self):
        names = {case["name"] for case in self.cases}

        self.assertEqual({case["version"] for case in self.cases}, {1, 2})
        self.assertEqual(len(names), len(self.cases))
        self.assertTrue(any(case.get("key_id") == "tenant-secret" for case in self.cases))
        self.assertTrue(
            any(
                case["method"] == "GET" and "?" in case["target"] and not case["body"]
                for case in self.cases
            )
        )
        self.assertTrue(any(not case["body"].isascii() for case in self.cases))
