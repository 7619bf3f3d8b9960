import RingCore
import RingSystem
import Testing

@testable import RingBootstrap

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite(.timeLimit(.minutes(2)))
struct TCPStoreTests {
    private let secret = Array("a secret".utf8)

    /// A port on which nobody listens while the object lives.
    private func unusedPort() throws -> ReservedPort { try ReservedPort() }

    @Test func aClientWaitsForAServerThatStartsLater() throws {
        let reserved = try unusedPort()
        let results = try onThreads(0..<2) { [secret] rank in
            if rank == 1 {
                let store = try TCPStore(host: "127.0.0.1", port: reserved.port, secret: secret, by: ample)
                try store.set("here", to: [1], by: ample)
                return true
            }
            _ = poll(nil, 0, 150)
            let server = try TCPStoreServer(host: "127.0.0.1", port: reserved.port, secret: secret)
            let store = try TCPStore(host: "127.0.0.1", port: server.port, secret: secret, by: ample)
            return try store.values(of: ["here"], interruptedBy: nil, by: ample) == [[1]]
        }
        #expect(results.map(\.value) == [true, true])
    }

    @Test func nobodyThere() throws {
        let reserved = try unusedPort()
        let error = try errorOf {
            try TCPStore(host: "127.0.0.1", port: reserved.port, secret: nil, by: .after(.milliseconds(200)))
        }
        #expect(error.code == .unreachable)
        #expect(error.peer == 0)
        #expect(
            error.message
                == "rank 0's store at 127.0.0.1:\(reserved.port) could not be reached within 200 ms: "
                + "connection refused"
        )
    }

    @Test func aNameThatCannotBeResolved() throws {
        let warnings = Monitor<[String]>([])
        let error = try errorOf {
            try TCPStore(
                host: "no-such-host.invalid", port: 29_500, secret: nil, by: .after(.milliseconds(400))
            ) { text in warnings.withLock { $0.append(text) } }
        }
        #expect(error.code == .unreachable)
        #expect(error.message.contains("no-such-host.invalid:29500 could not be reached within 400 ms"))
        #expect(error.message.contains("the host name no-such-host.invalid cannot be resolved"))
        #expect(warnings.withLock(\.count) <= 1)
    }

    @Test(arguments: ["127.0.0.1", nil])
    func aPortInUse(host: String?) throws {
        let other = try TCPStoreServer(host: host, port: 0, secret: nil)
        let error = try errorOf { try TCPStoreServer(host: host, port: other.port, secret: nil) }
        #expect(error.code == .unreachable)
        #expect(
            error.message.contains("\(host ?? "*"):\(other.port): another program uses this port already"))
        #expect(error.message.contains("MASTER_PORT"))
    }

    @Test(arguments: ["127.0.0.1", "::1", "localhost", nil])
    func addressesOfBothFamilies(host: String?) throws {
        let server = try TCPStoreServer(host: host, port: 0, secret: secret)
        let clients = host.map { [$0] } ?? ["127.0.0.1", "::1", "localhost"]
        for client in clients {
            let store = try TCPStore(host: client, port: server.port, secret: secret, by: ample)
            try store.set("k", to: [1], by: ample)
        }
    }

    @Test func anAddressOfAnotherHostMeansAllOfThisOne() throws {
        // 192.0.2.0/24 is for documentation: no host has it, as none has a cluster service's address.
        let server = try TCPStoreServer(host: "192.0.2.77", port: 0, secret: nil)
        _ = try TCPStore(host: server.ownHost, port: server.port, secret: nil, by: ample)
        _ = try TCPStore(host: "127.0.0.1", port: server.port, secret: nil, by: ample)
    }

    @Test(
        arguments: [
            (nil, "b", "it has no job secret and this rank has one"),
            ("a", nil, "it has a job secret and this rank has none"),
            ("a", "b", "its job secret differs from this rank's"),
        ] as [(String?, String?, String)])
    func theJobSecret(server: String?, client: String?, reason: String) throws {
        let warnings = Monitor<[String]>([])
        let serving = try TCPStoreServer(host: "127.0.0.1", port: 0, secret: server.map { Array($0.utf8) }) {
            text in warnings.withLock(notifying: true) { $0.append(text) }
        }
        let error = try errorOf {
            try TCPStore(
                host: "127.0.0.1", port: serving.port, secret: client.map { Array($0.utf8) }, by: ample)
        }
        #expect(error.code == .authenticationFailed)
        #expect(error.message.contains("127.0.0.1:\(serving.port)"))
        #expect(error.message.contains(reason))
        let warning = warnings.wait(until: ample) { $0.first }
        #expect(warning?.contains("ended before it proved anything") == true)
        // The right secret is still served.
        _ = try TCPStore(
            host: "127.0.0.1", port: serving.port, secret: server.map { Array($0.utf8) }, by: ample)
    }

    @Test func aClientThatCannotProveItselfIsDropped() throws {
        let warnings = Monitor<[String]>([])
        let server = try TCPStoreServer(host: "127.0.0.1", port: 0, secret: secret) { text in
            warnings.withLock(notifying: true) { $0.append(text) }
        }
        let liar = try RawConnection(port: server.port)
        liar.send(StoreHandshake.Hello(hasSecret: true).bytes(magic: StoreHandshake.clientMagic))
        #expect(liar.receive(StoreHandshake.helloBytes + 32).count == StoreHandshake.helloBytes + 32)
        liar.send([UInt8](repeating: 0, count: 32) + StoreRequest.remove(key: "x").frame)
        #expect(liar.isClosedByPeer())
        #expect(
            warnings.wait(until: ample) { $0.first }?.contains(
                "could not prove that it holds the job's secret")
                == true)
    }

    @Test func aServerThatCannotProveItselfIsRefused() throws {
        let hello = StoreHandshake.Hello(hasSecret: true).bytes(magic: StoreHandshake.serverMagic)
        let false0 = try FalseServer(
            reading: StoreHandshake.helloBytes, answer: hello + [UInt8](repeating: 1, count: 32),
            thenClosing: false)
        let error = try errorOf {
            try TCPStore(host: "127.0.0.1", port: false0.port, secret: secret, by: ample)
        }
        #expect(error.code == .authenticationFailed)
    }

    @Test func anotherProgramListens() throws {
        let web = try FalseServer(
            reading: 8, answer: Array(String(repeating: "HTTP/1.1 400 Bad Request\r\n", count: 10).utf8),
            thenClosing: false)
        let error = try errorOf { try TCPStore(host: "127.0.0.1", port: web.port, secret: nil, by: ample) }
        #expect(error.code == .protocolViolation)
        #expect(error.message.contains("another program listens there"))
    }

    @Test func anotherVersion() throws {
        var hello = StoreHandshake.Hello(hasSecret: false)
        hello.version = 9
        let future = try FalseServer(
            reading: StoreHandshake.helloBytes,
            answer: hello.bytes(magic: StoreHandshake.serverMagic) + [UInt8](repeating: 0, count: 32),
            thenClosing: true)
        let error = try errorOf { try TCPStore(host: "127.0.0.1", port: future.port, secret: nil, by: ample) }
        #expect(error.code == .mismatch)
        #expect(error.message.contains("version 9"))

        let server = try TCPStoreServer(host: "127.0.0.1", port: 0, secret: nil)
        let client = try RawConnection(port: server.port)
        client.send(hello.bytes(magic: StoreHandshake.clientMagic))
        let answer = client.receive(StoreHandshake.helloBytes + 32)
        let own = StoreHandshake.Hello(
            bytes: Array(answer.prefix(StoreHandshake.helloBytes)), magic: StoreHandshake.serverMagic)
        #expect(own?.version == StoreHandshake.version)
        #expect(client.isClosedByPeer())
    }

    @Test(arguments: [false, true])
    func aServerThatNeverAnswers(closing: Bool) throws {
        let silent = try FalseServer(reading: 4, answer: [], thenClosing: closing)
        let error = try errorOf {
            try TCPStore(host: "127.0.0.1", port: silent.port, secret: nil, by: .after(.milliseconds(300)))
        }
        #expect(error.code == .unreachable)
        #expect(error.message.contains(closing ? "closed before" : "did not answer"))
    }

    /// A connection that has passed the handshake, for sending what no client would.
    private func provedConnection(to server: TCPStoreServer) throws -> RawConnection {
        let connection = try RawConnection(port: server.port)
        let own = StoreHandshake.Hello(hasSecret: true).bytes(magic: StoreHandshake.clientMagic)
        connection.send(own)
        let reply = connection.receive(StoreHandshake.helloBytes + 32)
        connection.send(
            JobAuthenticator(secret: secret).proof(
                label: StoreHandshake.clientLabel, transcript: own + reply))
        try #require(connection.receive(4 + 1 + 2) == [3, 0, 0, 0, 1, 0, 0])
        return connection
    }

    @Test func strayBytesCostOneConnection() throws {
        let server = try TCPStoreServer(host: "127.0.0.1", port: 0, secret: secret)
        let bystander = try TCPStore(host: "127.0.0.1", port: server.port, secret: secret, by: ample)
        let text = try RawConnection(port: server.port)
        text.send(Array("GET / HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n".utf8))
        #expect(text.isClosedByPeer())

        let idle = try (0..<200).map { _ in try RawConnection(port: server.port) }
        let before = try RawConnection(port: server.port)
        before.send(Array(StoreHandshake.clientMagic.prefix(3)))

        let tooLong = try provedConnection(to: server)
        tooLong.send([0xff, 0xff, 0xff, 0xff, 1])
        #expect(tooLong.isClosedByPeer())
        let empty = try provedConnection(to: server)
        empty.send([0, 0, 0, 0])
        #expect(empty.isClosedByPeer())
        let malformed = try provedConnection(to: server)
        malformed.send([3, 0, 0, 0, 1, 0xff, 0xff])
        #expect(malformed.isClosedByPeer())
        let unknown = try provedConnection(to: server)
        unknown.send([1, 0, 0, 0, 200])
        #expect(unknown.isClosedByPeer())
        let hasty = try provedConnection(to: server)
        let waiting = StoreRequest.values(keys: ["never"], interruption: nil, milliseconds: 60_000).frame
        hasty.send(waiting)
        hasty.send(waiting)
        #expect(hasty.isClosedByPeer())

        let refused = try provedConnection(to: server)
        refused.send(StoreRequest.set(key: "", value: []).frame)
        #expect(refused.receive(5).last == 6)

        try bystander.set("k", to: [1], by: ample)
        #expect(try bystander.values(of: ["k"], interruptedBy: nil, by: ample) == [[1]])
        withExtendedLifetime((idle, before)) {}
    }

    @Test func aWillIsCarriedOutWhenItsOwnerGoes() throws {
        let server = try TCPStoreServer(host: "127.0.0.1", port: 0, secret: secret)
        func open() throws -> TCPStore {
            try TCPStore(host: "127.0.0.1", port: server.port, secret: secret, by: ample)
        }
        let (owner, keeper, witness) = (try open(), try open(), try open())
        try owner.leave(StoreWill(key: "will", value: [1]), by: ample)
        try owner.leave(StoreWill(key: "existing", value: [1]), by: ample)
        try owner.set("existing", to: [9], by: ample)
        let withdrawn = StoreWill(key: "withdrawn", value: [2])
        try keeper.leave(withdrawn, by: ample)
        try keeper.withdraw(withdrawn, by: ample)
        try keeper.withdraw(withdrawn, by: ample)
        owner.close()
        keeper.close()
        #expect(try witness.values(of: ["will", "existing"], interruptedBy: nil, by: ample) == [[1], [9]])
        let error = try errorOf {
            try witness.values(of: ["withdrawn"], interruptedBy: nil, by: .after(.milliseconds(50)))
        }
        #expect(error.code == .timedOut)
    }

    @Test func closingTheServerEndsWaiting() throws {
        let server = try TCPStoreServer(host: "127.0.0.1", port: 0, secret: secret)
        let stores = try (0..<3).map { _ in
            try TCPStore(host: "127.0.0.1", port: server.port, secret: secret, by: ample)
        }
        let results = try onThreads(0..<4) { rank -> [[UInt8]] in
            guard rank == 3 else {
                try stores[rank].set("waits/\(rank)", to: [], by: ample)
                return try stores[rank].values(of: ["never"], interruptedBy: nil, by: ample)
            }
            _ = poll(nil, 0, 100)
            server.close()
            return []
        }
        for result in results.prefix(3) {
            #expect(result.error?.code == .peerLost)
            #expect(result.error?.peer == 0)
        }
    }

    @Test func manyUsersAtOnce() throws {
        let server = try TCPStoreServer(host: "127.0.0.1", port: 0, secret: secret)
        let count = 64
        let results = try onThreads(0..<count) { [secret] rank in
            let store = try TCPStore(host: "127.0.0.1", port: server.port, secret: secret, by: ample)
            try store.set("card/\(rank)", to: [UInt8](repeating: UInt8(rank), count: 5000), by: ample)
            return try store.values(of: (0..<count).map { "card/\($0)" }, interruptedBy: nil, by: ample)
        }
        for result in results {
            #expect(try result.get() == (0..<count).map { [UInt8](repeating: UInt8($0), count: 5000) })
        }
    }
}
