"""Which exception an error answer becomes, and what it tells."""

import copy
import pickle
import unittest

from aion_sdk.errors import (
    AionError,
    Denied,
    InvalidRequest,
    KernelFault,
    KernelUnavailable,
    LimitReached,
    NotAuthenticated,
    ToolFailed,
    Unreachable,
    error_of,
)

DENIED = {
    "status": "error",
    "error": {
        "code": "CAPABILITY_DENIED",
        "number": 300,
        "blame": "policy",
        "message": "the agent does not hold 'network'",
        "pointer": "/params/tool",
        "rule": "default-deny",
        "policy_version": "v7",
        "admit": "an operator grants 'network' to agent://tenantA/researcher-1",
        "retry": "after_operator",
        "retry_after_ms": 1000,
    },
    "usage": {"latency_ms": 3, "cost_usd": 0, "tokens_in": 0, "tokens_out": 0},
    "audit_id": "sc-9f2a",
}


class ErrorOf(unittest.TestCase):
    def test_every_field_is_carried_over(self):
        error = error_of(403, DENIED)

        self.assertEqual(
            vars(error),
            {
                "message": "the agent does not hold 'network'",
                "code": "CAPABILITY_DENIED",
                "number": 300,
                "http_status": 403,
                "blame": "policy",
                "pointer": "/params/tool",
                "rule": "default-deny",
                "policy_version": "v7",
                "admit": "an operator grants 'network' to agent://tenantA/researcher-1",
                "retry": "after_operator",
                "retry_after": 1.0,
                "audit_id": "sc-9f2a",
                "usage": {"latency_ms": 3, "cost_usd": 0, "tokens_in": 0, "tokens_out": 0},
            },
        )

    def test_a_person_reads_code_message_remedy_and_audit_id(self):
        self.assertEqual(
            str(error_of(403, DENIED)),
            "CAPABILITY_DENIED: the agent does not hold 'network' [at /params/tool]"
            " [rule default-deny]"
            " [what would admit it: an operator grants 'network' to agent://tenantA/researcher-1]"
            " [audit id: sc-9f2a]",
        )

    def test_a_person_is_not_shown_what_is_not_there(self):
        error = error_of(404, {"error": {"code": "UNKNOWN_TOOL", "number": 114, "message": "no"}})

        self.assertEqual(str(error), "UNKNOWN_TOOL: no")

    def test_each_block_of_numbers_is_a_class(self):
        for number, status, kind in (
            (100, 400, InvalidRequest),
            (117, 409, InvalidRequest),
            (199, 400, InvalidRequest),
            (200, 401, NotAuthenticated),
            (214, 403, NotAuthenticated),
            (300, 403, Denied),
            (399, 403, Denied),
            (400, 429, LimitReached),
            (403, 503, LimitReached),
            (500, 422, ToolFailed),
            (502, 504, ToolFailed),
            (600, 501, KernelUnavailable),
            (700, 503, KernelUnavailable),
            (702, 409, KernelFault),
            (703, 500, KernelFault),
            (9000, 500, KernelFault),
            (None, 400, AionError),
            (7, 400, AionError),
            ("300", 403, AionError),
        ):
            with self.subTest(number=number, status=status):
                error = error_of(status, {"error": {"code": "C", "number": number}})

                self.assertIs(type(error), kind)

    def test_fields_of_the_wrong_type_do_not_hide_the_error(self):
        problem = {
            "code": "KERNEL_BUSY",
            "number": 403,
            "message": None,
            "admit": ["x"],
            "retry_after_ms": "soon",
        }

        error = error_of(503, {"error": problem, "audit_id": 7, "usage": []}, 4.0)

        self.assertIs(type(error), LimitReached)
        self.assertEqual(str(error), "KERNEL_BUSY: the kernel gave no message")
        self.assertEqual((error.retry_after, error.audit_id, error.usage), (4.0, None, None))

    def test_a_call_that_was_not_recorded_has_no_audit_id(self):
        error = error_of(503, {"error": {"code": "C", "number": 701}, "audit_id": ""})

        self.assertIsNone(error.audit_id)

    def test_a_time_before_now_is_no_time(self):
        error = error_of(503, {"error": {"code": "C", "number": 403, "retry_after_ms": -5}})

        self.assertIsNone(error.retry_after)

    def test_what_is_not_an_error_answer_is_none(self):
        for document in ({}, {"error": "x"}, {"error": {}}, {"error": {"code": 5}}):
            self.assertIsNone(error_of(500, document))


class Exceptions(unittest.TestCase):
    def test_one_class_catches_them_all(self):
        self.assertIsInstance(Unreachable("gone"), AionError)
        self.assertIsInstance(error_of(403, DENIED), AionError)

    def test_they_survive_the_way_between_processes(self):
        for error in (error_of(403, DENIED), Unreachable("gone", "NO_CONNECTION", sent=False)):
            for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
                self.assertIs(type(twin), type(error))
                self.assertEqual(vars(twin), vars(error))
                self.assertEqual(str(twin), str(error))
