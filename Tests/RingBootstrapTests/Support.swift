import RingCore
import RingSystem
import Testing

@testable import RingBootstrap

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs `body` for each rank on a thread of its own and returns what each came to.
func onThreads<Success: Sendable>(
    _ ranks: some Sequence<Rank>, _ body: @escaping @Sendable (Rank) throws -> Success
) throws -> [Result<Success, CollectiveError>] {
    let ranks = Array(ranks)
    let results = Monitor<[Int: Result<Success, CollectiveError>]>([:])
    let threads = try ranks.enumerated().map { index, rank in
        try SystemThread(name: "test-\(rank)") {
            let result = Result { try body(rank) }.mapError {
                $0 as? CollectiveError ?? CollectiveError(.system, "not a CollectiveError: \($0)")
            }
            results.withLock { $0[index] = result }
        }
    }
    for thread in threads { thread.join(until: .after(.seconds(120))) }
    return results.withLock { results in
        ranks.indices.map {
            results[$0] ?? .failure(CollectiveError(.timedOut, "the test's thread is still busy"))
        }
    }
}

/// What a test of this rank's view fails or succeeds with.
extension Result where Failure == CollectiveError {
    var error: CollectiveError? {
        if case .failure(let error) = self { error } else { nil }
    }

    var value: Success? { try? get() }
}

/// The error that `body` must throw.
func errorOf(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> some Any
) throws -> CollectiveError {
    do {
        _ = try body()
    } catch {
        return try #require(error as? CollectiveError, sourceLocation: sourceLocation)
    }
    try #require(Bool(false), "nothing was thrown", sourceLocation: sourceLocation)
    preconditionFailure("the requirement has failed")
}

/// A deadline that only a test which hangs reaches.
var ample: Deadline { .after(.seconds(30)) }

/// A folder of a test's own, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/ring-test-XXXXXX".utf8CString)
        mkdtemp(&template)
        path = String(decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        Self.remove(path)
    }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            var names: [String] = []
            while let entry = readdir(directory) {
                names.append(
                    withUnsafeBytes(of: &entry.pointee.d_name) {
                        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                    })
            }
            closedir(directory)
            for name in names where name != "." && name != ".." { remove(path + "/" + name) }
        }
        _ = path.withCString { Glibc.remove($0) }
    }
}

/// Which store a test runs on.
enum StoreKind: CaseIterable, CustomTestStringConvertible {
    case memory, file, tcp

    var testDescription: String { "\(self)" }
}

/// A store, with a way in for each rank.
final class StoreFixture: Sendable {
    private let kind: StoreKind
    private let memory = InMemoryStore()
    private let folder = TemporaryFolder()
    private let server: TCPStoreServer?

    init(_ kind: StoreKind) throws {
        self.kind = kind
        server =
            kind == .tcp
            ? try TCPStoreServer(
                host: "127.0.0.1", port: 0, secret: Array("secret".utf8), identity: "host a, process 1") : nil
    }

    func open() throws -> any Store {
        switch kind {
        case .memory: memory
        case .file: try FileStore(directory: folder.path, job: "job 1/a")
        case .tcp:
            try TCPStore(
                host: "127.0.0.1", port: server!.port, secret: Array("secret".utf8), by: ample)
        }
    }
}

/// A bare socket that behaves as a test wants: a stray client or a false server.
final class RawConnection: Sendable {
    let socket: Socket

    init(port: UInt16) throws {
        socket = try Socket.connecting(to: .loopback(port: port))
        wait(for: POLLOUT)
        if let error = socket.connectionError() { throw error }
    }

    init(_ socket: consuming Socket) {
        self.socket = socket
    }

    private func wait(for events: Int32) {
        var descriptors = [pollfd(fd: socket.number, events: Int16(events), revents: 0)]
        _ = try? SystemCall.poll(&descriptors, milliseconds: ample.remainingMilliseconds())
    }

    /// Sends what it can; an error is the peer's right.
    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let result = try? socket.send(rest) else { return }
            if case .done(let count) = result { rest = rest.dropFirst(count) } else { wait(for: POLLOUT) }
        }
    }

    /// Reads so many bytes, fewer if the peer closes.
    func receive(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            do {
                if let piece = try socket.receive(atMost: min(count - bytes.count, 65_536)) {
                    if piece.isEmpty { return bytes }
                    bytes += piece
                } else {
                    wait(for: POLLIN)
                }
            } catch {
                return bytes
            }
        }
        return bytes
    }

    /// Whether the peer closes the connection.
    func isClosedByPeer() -> Bool { receive(1 << 30).count < 1 << 30 }
}

/// A server that does with each connection what a test wants.
final class FalseServer: Sendable {
    let port: UInt16
    private let over = Monitor(false)
    private let thread: SystemThread

    /// - Parameter serve: Whether the connection is to stay open afterwards.
    init(_ serve: @escaping @Sendable (RawConnection) -> Bool) throws {
        let listener = try Socket.listening(on: .loopback(port: 0))
        port = try listener.localAddress().port
        let over = over
        thread = try SystemThread(name: "false-server") {
            var kept: [RawConnection] = []
            while over.wait(until: .after(.milliseconds(5)), for: { $0 ? true : nil }) == nil {
                guard let accepted = try? listener.accept() else { continue }
                let connection = RawConnection(accepted.take())
                if serve(connection) { kept.append(connection) }
            }
        }
    }

    /// One that reads so many bytes and answers with these, whatever they were.
    convenience init(reading: Int, answer: [UInt8], thenClosing: Bool) throws {
        try self.init { connection in
            _ = connection.receive(reading)
            connection.send(answer)
            return !thenClosing
        }
    }

    /// One that accepts each client and then says nothing more, like a process that was stopped.
    convenience init(stoppedAs identity: String) throws {
        try self.init { connection in
            var handshake = StoreHandshake.Server(
                authenticator: JobAuthenticator(secret: nil), identity: identity)
            for _ in 0..<2 {
                switch handshake.receive(connection.receive(handshake.nextBytes)) {
                case .reply(let bytes), .accept(let bytes), .reject(let bytes, _): connection.send(bytes)
                }
            }
            return true
        }
    }

    deinit {
        over.withLock(notifying: true) { $0 = true }
        thread.join(until: ample)
    }
}
