"""The local page, as a browser and as an attacker: who is let in, what is told, and that nobody who is slow holds anybody up."""

import http.client
import json
import socket
import subprocess
import sys
import threading
import time

import pytest

import chainrule as cr

pytest.importorskip("starlette", reason="the extra `view` is not installed")
pytest.importorskip("uvicorn", reason="the extra `view` is not installed")
pytest.importorskip("websockets", reason="the extra `view` is not installed")

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from chainrule.viewer.hosts.messages import Outbox, read, written
from chainrule.viewer.hosts.page import LARGEST
from waiting import LONG, until


@pytest.fixture
def view():
    a, b = cr.values(a=2.0, b=-3.0)
    view = cr.view((a * b).named("L"))
    view.open(browser=False)
    yield view
    view.close()


class Browser:
    """What a browser, or a program, sends to a page."""

    def __init__(self, view):
        self.port = view._page.door.port
        self.origin = f"http://127.0.0.1:{self.port}"
        self.address = view.url
        self.cookie = None

    def get(self, path, method="GET", host=None, **headers):
        """Status, headers and body of an answer; the cookie is kept."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG)
        given = {"Cookie": self.cookie} if self.cookie else {}
        connection.request(method, path, headers={"Host": host or f"127.0.0.1:{self.port}", **given, **headers})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        if answer.headers["Set-Cookie"]:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        return answer.status, answer.headers, body

    def enter(self):
        status, *_ = self.get(self.address.removeprefix(self.origin))
        assert status == 200
        return self

    def socket(self, **options):
        given = {"Cookie": self.cookie} if self.cookie else {}
        options = {"origin": self.origin, "compression": None, "additional_headers": given, **options}
        return connect(f"ws://127.0.0.1:{self.port}/socket", open_timeout=LONG, **options)

    def deaf(self):
        """The connection of a tab that never reads."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=LONG)
        headers = {"Host": f"127.0.0.1:{self.port}", "Origin": self.origin, "Cookie": self.cookie}
        headers |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        headers |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
        lines = ["GET /socket HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        connection.sendall("\r\n".join(lines).encode())
        assert connection.recv(12) == b"HTTP/1.1 101"
        return connection


def gone(view):
    """All tabs are closed, and forgotten."""
    until(lambda: not view.session._listeners)


def ask(tab, **command):
    """What a tab is told until a command is answered: the parts, and the answer."""
    tab.send(json.dumps({"id": 7, **command}))
    parts = {}
    while True:
        message = json.loads(tab.recv(timeout=LONG))
        if "set" not in message:
            return parts, message
        parts |= message["set"]


# --- who is let in


def test_the_address_opens_the_page_once(view):
    browser = Browser(view)
    path = browser.address.removeprefix(browser.origin)
    status, headers, body = browser.get(path)
    assert status == 200
    assert '<main data-chainrule="page">' in body
    flags = {flag.strip() for flag in headers["Set-Cookie"].split(";")[1:]}
    assert {"HttpOnly", "SameSite=Strict"} <= flags
    assert Browser(view).get(path)[0] == 403, "a second browser with the same address"
    assert browser.get(path)[0] == 200, "the first one again"
    assert browser.get("/")[0] == 200
    assert view.url != browser.address
    assert Browser(view).enter().get("/view.js")[1]["Content-Type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "path", ["/", "/?token=", "/?token=wrong", "/?token=ü", "/view.js", "/?token=a&token=b", "//", "*"]
)
def test_nobody_comes_in_without_the_token(view, path):
    path = path.replace("ü", "%C3%BC")
    status, headers, body = Browser(view).get(path)
    assert status == 403
    assert "Set-Cookie" not in headers
    assert "data-chainrule" not in body


def test_the_token_serves_the_page_and_nothing_else(view):
    browser = Browser(view)
    query = browser.address.partition("?")[2]
    for path in (f"/view.js?{query}", f"/socket?{query}", f"/index.html?{query}"):
        assert browser.get(path)[0] == 403
    for method in ("HEAD", "POST", "OPTIONS"):
        assert browser.get(f"/?{query}", method)[0] == 403
    with pytest.raises(InvalidStatus):
        connect(f"ws://127.0.0.1:{browser.port}/socket?{query}", origin=browser.origin, open_timeout=LONG)
    assert browser.enter().cookie


@pytest.mark.parametrize("cookie", ["", "wrong", "a=b; c", '"', "ü"])
def test_other_cookies_do_not_serve(view, cookie):
    browser = Browser(view)
    for name in (f"chainrule-{browser.port}", "other"):
        assert browser.get("/", Cookie=f"{name}={cookie}".encode())[0] == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", "0.0.0.0:{port}", "[::1]:{port}"],
)
def test_a_name_bound_to_this_machine_does_not_serve(view, host):
    browser = Browser(view)
    host = host.format(port=browser.port)
    assert browser.get(browser.address.removeprefix(browser.origin), host=host)[0] == 403
    browser.enter()
    assert browser.get("/", host=host)[0] == 403
    assert browser.get("/", host=f"localhost:{browser.port}")[0] == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1", "http://localhost:{port}", "https://127.0.0.1:{port}", ""],
)
def test_other_pages_neither_read_nor_open_sockets(view, origin):
    browser = Browser(view).enter()
    origin = origin.format(port=browser.port)
    assert browser.get("/view.js", Origin=origin)[0] == 403
    with pytest.raises(InvalidStatus) as refused:
        browser.socket(origin=origin)
    assert refused.value.response.status_code == 403


def test_a_socket_needs_an_origin_and_the_cookie(view):
    browser = Browser(view)
    for options in ({}, {"origin": None}, {"additional_headers": {"Cookie": f"chainrule-{browser.port}=x"}}):
        with pytest.raises(InvalidStatus) as refused:
            browser.socket(**options)
        assert refused.value.response.status_code == 403
    browser.enter()
    with pytest.raises(InvalidStatus):
        browser.socket(origin=None)
    with browser.socket() as tab:
        assert ask(tab, do="hello")[1] == {"id": 7, "ok": None}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_pages_are_read_and_nothing_is_written(view, method):
    assert Browser(view).enter().get("/", method)[0] == 405


@pytest.mark.parametrize(
    "path",
    ["/static/view.js", "/../view.js", "/%2e%2e/%2e%2e/etc/passwd", "/view.js/..%2f..", "//etc/passwd", "/socket"],
)
def test_there_are_no_other_files(view, path):
    assert Browser(view).enter().get(path)[0] == 404


def test_every_answer_says_what_may_be_done_with_it(view):
    browser = Browser(view)
    answers = [
        browser.get("/")[1],
        browser.enter().get("/")[1],
        browser.get("/nothing")[1],
        browser.get("/", "POST")[1],
    ]
    for headers in answers:
        policy = dict(rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == "'self'"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in headers
        assert "Server" not in headers


def test_only_this_machine_is_listened_to(view):
    port = Browser(view).port
    own = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for address in own:
        with pytest.raises((ConnectionError, TimeoutError)):
            socket.create_connection((address, port), timeout=0.5)


# --- what is said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1",
        "[]",
        "3",
        "null",
        '{"do": 3}',
        '{"id": NaN, "do": "hello"}',
        "[" * 100_000,
        '{"do": "hello"',
        b"\xff\xfe",
        "9" * 9_999,
        '{"do": "set", "key": "\\ud800", "value": 1}',
        '{"do": "branch", "settings": {"a": ["\\udfff"]}}',
    ],
    ids=lambda x: repr(x[:12]),
)
def test_what_is_no_command_is_told_so_and_the_rest_goes_on(view, text):
    with Browser(view).enter().socket() as tab:
        tab.send(text)
        refusal = json.loads(tab.recv(timeout=LONG))
        assert refusal["id"] is None
        assert "a command was given as" in refusal["error"]
        assert len(refusal["error"]) < 500
        assert ask(tab, do="hello")[1] == {"id": 7, "ok": None}


@pytest.mark.parametrize("value", [None, 3, "x", [], {}, {"do": 1}, True, 1e400, -1, "__class__", [[]]], ids=repr)
def test_senseless_arguments_are_answered_and_the_session_goes_on(view, value):
    with Browser(view).enter().socket() as tab:
        sent = 0
        for name in (*view.session.commands, "nothing", "__init__", ""):
            for arguments in (
                {},
                {"key": value},
                {"name": value},
                {"depth": value},
                {"key": "a", "value": value},
                {"x": value, "self": 1},
            ):
                tab.send(json.dumps({"id": 1, "do": name, **arguments}))
                sent += 1
        while sent:
            message = json.loads(tab.recv(timeout=LONG))
            sent -= "set" not in message
            assert "set" in message or {"id"} < message.keys()
        assert ask(tab, do="set", key="a", value=5.0)[1] == {"id": 7, "ok": None}
        assert view.subject.number("L") == -15.0


def test_huge_messages_end_the_conversation_and_nothing_else(view):
    browser = Browser(view).enter()
    with browser.socket() as tab:
        tab.send("x" * (LARGEST + 1))
        with pytest.raises(ConnectionClosed) as ended:
            tab.recv(timeout=LONG)
    assert ended.value.rcvd.code == 1009
    with browser.socket() as tab:
        assert ask(tab, do="hello")[0].keys() == view.parts.keys()


def test_tabs_see_the_same_and_a_reloaded_one_sees_all(view):
    browser = Browser(view).enter()
    with browser.socket() as one, browser.socket() as other:
        assert ask(one, do="hello")[0] == view.parts
        ask(other, do="hello")
        ask(one, do="select", key="a")
        told = json.loads(other.recv(timeout=LONG))["set"]
        while "selection" not in told or told["selection"] is None:
            told = json.loads(other.recv(timeout=LONG))["set"]
        assert told["selection"]["gradient"] == -3.0
        view.do("set", key="b", value=9.0)
        for tab in (one, other):
            told = {}
            while told.get("selection", {"gradient": 0})["gradient"] != 9.0:
                told = json.loads(tab.recv(timeout=LONG))["set"]
    with browser.socket() as again:
        assert ask(again, do="hello")[0] == view.parts
    gone(view)


# --- how much is said


def test_of_many_values_of_a_part_the_newest_is_told():
    woken = []
    outbox = Outbox(lambda: woken.append(1))
    for i in range(1000):
        outbox.tell({"position": i, f"p{i % 3}": i})
    outbox.answer({"id": 1, "ok": None})
    assert outbox.taken() == ({"position": 999, "p0": 999, "p1": 997, "p2": 998}, [{"id": 1, "ok": None}])
    assert outbox.taken() == ({}, [])
    assert woken


def test_a_tab_is_told_some_thirty_times_a_second(view):
    with Browser(view).enter().socket() as tab:
        ask(tab, do="hello")
        began = time.monotonic()
        for i in range(600):
            view.session._tell({"notice": i})
            time.sleep(0.0005)
        received = [-1]
        while received[-1] != i:
            received.append(json.loads(tab.recv(timeout=LONG))["set"]["notice"])
        assert len(received) < 40 * (time.monotonic() - began) + 5  # however long it took
        assert received == sorted(received)


def test_a_tab_that_does_not_read_holds_nobody_up(view):
    browser = Browser(view).enter()
    with browser.deaf() as deaf, browser.socket() as quick:
        for i in range(200):  # for whom it waited, it would do so for ever
            view.session._tell({"notice": f"{i}" + "x" * 1_000_000})
        assert ask(quick, do="select", key="a")[1] == {"id": 7, "ok": None}
        command = b'{"id": 1, "do": "hello"}'
        frame = bytes([0x81, 0x80 | len(command), 0, 0, 0, 0]) + command
        deaf.settimeout(LONG)
        deaf.sendall(frame * 300)  # more commands than may wait, and no answer is read
        assert ask(quick, do="select", key="b")[1] == {"id": 7, "ok": None}
    gone(view)


# --- how it ends


def test_close_ends_the_server_and_tells_the_tabs(view):
    browser = Browser(view).enter()
    with browser.socket() as tab:
        ask(tab, do="hello")
        view.close()
        with pytest.raises(ConnectionClosed):
            ask(tab, do="hello")
    with pytest.raises(ConnectionError):
        browser.get("/")
    assert view.url is None
    assert not [thread for thread in threading.enumerate() if thread.name in ("chainrule-page", "chainrule-view")]
    assert view.open(browser=False) == view.url
    assert Browser(view).enter()


def test_strangers_and_deaf_tabs_are_no_errors(view, caplog):
    browser = Browser(view).enter()
    for text in (b"\x16\x03\x01", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", browser.port), timeout=LONG) as stranger:
            stranger.sendall(text + b"\r\n\r\n")
            assert b" 400 " in stranger.recv(100)
    with browser.deaf():
        for i in range(30):
            view.session._tell({"notice": f"{i}" + "x" * 1_000_000})
            time.sleep(0.01)
        view.close()
    assert [record.exc_text for record in caplog.records if record.exc_info] == []


def test_pages_that_are_closed_at_once_leave_nothing_open(view):
    for _ in range(20):
        view.close()
        port = int(view.open(browser=False).partition("?")[0].rpartition(":")[2].strip("/"))
    view.close()
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", port), timeout=LONG)


def test_close_ends_a_training_under_way():
    X, y = cr.datasets.xor()
    view = cr.view(cr.Network([cr.Dense(3, "tanh", name="h"), cr.Dense(1, name="o")], seed=0), X, y, epochs=10**12)
    view.open(browser=False)
    view.do("train")
    view.close()
    until(lambda: "chainrule-training" not in [x.name for x in threading.enumerate()])


def test_wait_returns_when_the_page_is_closed(view):
    threading.Timer(0.2, view.close).start()
    view.wait()
    with pytest.raises(cr.ChainruleError, match="call open first"):
        view.wait()


def test_a_script_ends_though_its_page_is_open():
    code = (
        "import chainrule as cr; a, = cr.values(a=1.0); v = cr.view((a * a).named('L')); print(v.open(browser=False))"
    )
    ended = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=LONG)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("http://127.0.0.1:")
    assert ended.stderr == ""


def test_halves_of_characters_are_told_as_their_numbers():
    text = written({"set": {"name": "\ud800 😀 ∂\udfff"}})
    assert text == '{"set":{"name":"\\ud800 😀 ∂\\udfff"}}'
    assert json.loads(text.encode()) == {"set": {"name": "\ud800 😀 ∂\udfff"}}


def test_messages_are_json():
    assert read('{"id": 1, "do": "hello"}') == {"id": 1, "do": "hello"}
    assert json.loads(written({"set": {"x": [1.5, "∂L"]}})) == {"set": {"x": [1.5, "∂L"]}}
