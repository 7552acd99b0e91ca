"""JSON as Go reads and writes it."""

import pytest

from toolbridge_contract.mock import gojson

MAX = gojson.MAX_DEPTH


def echo(text: str | bytes) -> str:
    """Decode a member `a` and return how Go prints it again."""
    raw = text if isinstance(text, bytes) else text.encode()
    printed = gojson.to_bytes(gojson.encode(gojson.decode(b'{"a":' + raw + b"}"))).decode()
    return printed.removeprefix('{"a":').removesuffix("}")


@pytest.mark.parametrize(
    ("sent", "printed"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("-0", "-0"),
        ("-0.0", "-0"),
        ("0.0", "0"),
        ("-5", "-5"),
        ("9007199254740993", "9007199254740992"),
        ("12345678901234567890", "12345678901234567000"),
        ("100000000000000000000", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("123456789012345678901234", "1.2345678901234569e+23"),
        ("1e20", "100000000000000000000"),
        ("1.5e300", "1.5e+300"),
        ("0.1", "0.1"),
        ("0.00001", "0.00001"),
        ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("1.5e-10", "1.5e-10"),
        ("1e-400", "0"),
        ("0.30000000000000004", "0.30000000000000004"),
    ],
)
def test_numbers_pass_through_float64(sent: str, printed: str) -> None:
    """A number comes back as Go prints the float64 it became."""
    assert printed == echo(sent)


@pytest.mark.parametrize(
    ("sent", "printed"),
    [
        ('"<b>&"', '"\\u003cb\\u003e\\u0026"'),
        ('"\u2028\u2029"', '"\\u2028\\u2029"'),
        ('"\\u2028"', '"\\u2028"'),
        ('"\\b\\f\\n\\r\\t\\u0001"', '"\\b\\f\\n\\r\\t\\u0001"'),
        ('"\x7f"', '"\x7f"'),
        ('"\\/"', '"/"'),
        ('"😀"', '"😀"'),
        ('"\\ud83d\\ude00"', '"😀"'),
        ('"\\ud800"', '"\ufffd"'),
        ('"\\ud800\\ud800x"', '"\ufffd\ufffdx"'),
        (b'"\xff"', '"\ufffd"'),
        (b'"\xe2\x82x"', '"\ufffd\ufffdx"'),
        ('{"b":1,"a":{"z":null,"y":[true,false]}}', '{"a":{"y":[true,false],"z":null},"b":1}'),
        ('{"é":1,"z":2,"Z":3}', '{"Z":3,"z":2,"é":1}'),
        ('{"a":1,"a":2}', '{"a":2}'),
    ],
)
def test_text_is_printed_in_gos_spelling(sent: str | bytes, printed: str) -> None:
    """HTML characters are escaped, keys sorted, and what is no Unicode is U+FFFD."""
    assert printed == echo(sent)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"5",
        b"true",
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e400}',
        b'{"a":-1e400}',
        b'{"a":' + b"9" * 400 + b"}",
        b'{"a":"\n"}',
        b'{"a":01}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":"\\x"}',
        b'{"a":"\xff}',
    ],
)
def test_what_go_would_not_decode_into_a_map_is_invalid(body: bytes) -> None:
    """Syntax errors, other types and numbers out of range are all invalid JSON."""
    with pytest.raises(gojson.InvalidJson):
        gojson.decode(body)


def test_only_the_first_value_is_read() -> None:
    """Blanks before and anything after the first value are ignored."""
    assert gojson.decode(b' \r\n\t{"a":1}{"b":2} garbage') == {"a": 1}
    assert None is gojson.decode(b"null trailing")


@pytest.mark.parametrize(
    "nested",
    [
        "[" * 2000 + "]" * 2000,
        "[" * (MAX - 1) + "]" * (MAX - 1),
        '{"k":' * (MAX - 2) + "{}" + "}" * (MAX - 2),
    ],
    ids=["arrays of 2000 levels", "arrays to the limit", "objects to the limit"],
)
def test_nesting_down_to_gos_limit_is_kept(nested: str) -> None:
    """Arrays and objects as deep as Go allows come back as sent."""
    assert nested == echo(nested)


def test_deep_nesting_keeps_scalars_order_and_blanks() -> None:
    """The reader for deep documents reads what the ordinary one reads."""
    inner = '{ "b" : [ 1.0 , -0, "\\u003c", null ] , "a" : { } }'
    deep = "[" * 3000 + inner + "]" * 3000

    assert echo(deep) == "[" * 3000 + '{"a":{},"b":[1,-0,"\\u003c",null]}' + "]" * 3000


@pytest.mark.parametrize(
    "middle", ['{"a" 1}', "{1:2}", '{"a":1 "b":2}', "[1 2]", "[1,]", "[,]", "{,}", "nul"]
)
def test_a_fault_deep_inside_is_found(middle: str) -> None:
    """The reader for deep documents refuses what is no JSON."""
    with pytest.raises(gojson.InvalidJson):
        gojson.decode(f'{{"a":{"[" * 3000}{middle}{"]" * 3000}}}'.encode())


def test_one_level_more_than_go_allows_is_invalid() -> None:
    """An object around 10 000 arrays is level 10 001."""
    with pytest.raises(gojson.InvalidJson):
        echo("[" * MAX + "]" * MAX)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"action":"pin"}', {"action": "pin"}),
        (b'{"ACTION":"pin"}', {"action": "pin"}),
        (b'{"action":"pin","Action":"unpin"}', {"action": "unpin"}),
        (b'{"action":"pin","action":null}', {"action": "pin"}),
        (b'{"action":null}', {}),
        (b"null", {}),
        (b'{"other":5} trailing', {}),
        (b'{"action":"pin","metadata":{"a":[1]}}', {"action": "pin", "metadata": [("a", [1])]}),
    ],
)
def test_a_struct_takes_keys_in_any_case_and_the_last_wins(
    body: bytes, expected: dict[str, object]
) -> None:
    """Unknown keys and null change nothing."""
    assert expected == gojson.decode_struct(body, {"action": str, "metadata": dict})


@pytest.mark.parametrize(
    "body",
    [
        b'{"action":5}',
        b'{"action":-0}',
        b'{"action":["pin"]}',
        b'{"action":{}}',
        b'{"metadata":[]}',
        b'{"metadata":"x"}',
        b'{"action":5,"action":"pin"}',
        b"[]",
        b'"x"',
        b"",
    ],
)
def test_a_struct_member_of_another_type_is_invalid(body: bytes) -> None:
    """A later good value does not mend an earlier wrong one."""
    with pytest.raises(gojson.InvalidJson):
        gojson.decode_struct(body, {"action": str, "metadata": dict})


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        ('"\\u0000"', True),
        ('{"\\u0000":1}', True),
        ('"\\\\u0000"', False),
        ('"\\\\\\u0000"', True),
        ('"\\u00001"', True),
        ('"u0000"', False),
    ],
)
def test_an_escaped_nul_is_told_from_an_escaped_backslash(encoded: str, expected: bool) -> None:
    """Only an odd number of backslashes makes it a NUL."""
    assert expected == gojson.has_nul(encoded)
