import RingCore
import RingSystem
import RingTransport
import Testing

@testable import RingTransportTCP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a listening rank does with connections that are not from its job.
@Suite struct TCPStrangerTests {
    private static let identifier = LinkIdentifier(channel: 0)

    /// Two ranks that have met, the listener's handshake timeout being `timeout`.
    private static func withRanks(
        timeout: Duration = .seconds(60), _ body: ([TCPTransport], SocketAddress) throws -> Void
    ) throws {
        let transports = try TCPRanks.met(2, TCPRanks.options("127.0.0.1") { $0.handshakeTimeout = timeout })
        defer { for transport in transports { transport.shutdown() } }
        try body(transports, transports[0].address)
    }

    private static func expectLink(_ transports: [TCPTransport]) throws {
        let ends = try connect(transports[0], transports[1], identifier)
        #expect(ends.low.peer == 1)
    }

    /// Both ends of a flood are in this process, which by default may have fewer descriptors than that.
    private static func allowDescriptors(_ count: rlim_t) throws {
        // RLIMIT_NOFILE, whose type differs between C libraries.
        let resource: Int32 = 7
        var limit = rlimit()
        getrlimit(resource, &limit)
        guard limit.rlim_cur < count else { return }
        limit.rlim_cur = count
        try SystemCall.check("setrlimit") { setrlimit(resource, &limit) }
    }

    @Test func hangsUpOnGarbage() throws {
        try Self.withRanks { transports, address in
            for bytes in [
                [UInt8](repeating: 0, count: 48),
                Array("GET / HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n".utf8),
                WireHello(magic: Array("RINGlink".utf8)).bytes, WireHello(version: 3).bytes,
            ] {
                let stranger = try Stranger(to: address)
                try stranger.send(bytes)
                #expect(stranger.receive(1) == .ended([]))
            }
            try Self.expectLink(transports)
        }
    }

    @Test func dropsTheSilentAfterTheirTime() throws {
        try Self.withRanks(timeout: .milliseconds(150)) { transports, address in
            let started = Deadline.now
            let silent = try Stranger(to: address)
            let half = try Stranger(to: address)
            try half.send(Array(WireHello().bytes[..<47]))
            let unconfirmed = try Stranger(to: address)
            try unconfirmed.send(WireHello().bytes)
            guard case .bytes = unconfirmed.receive(52) else {
                Issue.record("a proper hello was not answered")
                return
            }
            for stranger in [silent, half, unconfirmed] { #expect(stranger.receive(1) == .ended([])) }
            #expect(Deadline.now >= started.advanced(by: .milliseconds(150)))
            try Self.expectLink(transports)
        }
    }

    /// Strangers of every kind hold their connections while a rank connects.
    @Test func keepsNobodyWaiting() throws {
        try Self.withRanks { transports, address in
            var strangers: [Stranger] = []
            for index in 0..<120 {
                let stranger = try Stranger(to: address)
                switch index % 4 {
                case 0: break
                case 1: try stranger.send(Array(WireHello().bytes[..<(index % 48)]))
                case 2: try stranger.send(WireHello().bytes)
                default: try stranger.send(Array("whatever".utf8))
                }
                strangers.append(stranger)
            }
            try Self.expectLink(transports)
            // Those who might still have come to their senses are still there.
            #expect(strangers[0].receive(1, within: .zero) == .silence([]))
        }
    }

    @Test func makesRoomInAFlood() throws {
        try Self.allowDescriptors(4096)
        try Self.withRanks { transports, address in
            // More than are ever pending, so the oldest are dropped.
            var strangers: [Stranger] = []
            for _ in 0..<1100 { strangers.append(try Stranger(to: address)) }
            #expect(strangers[0].receive(1) == .ended([]))
            try Self.expectLink(transports)
            #expect(strangers[1099].receive(1, within: .zero) == .silence([]))
        }
    }

    @Test(
        arguments: [
            (WireHello(worldSize: 3), 2), (WireHello(to: 2), 1), (WireHello(from: 2), 1),
            (WireHello(from: .max), 1),
            (WireHello(from: 0), 1), (WireHello(worldSize: 3, to: 1), 1), (WireHello(), 0),
        ] as [(WireHello, UInt8)])
    func answersAHelloWithItsVerdict(_ hello: WireHello, _ verdict: UInt8) throws {
        try Self.withRanks { _, address in
            let stranger = try Stranger(to: address)
            try stranger.send(hello.bytes)
            guard case .bytes(let reply) = stranger.receive(52) else {
                Issue.record("a hello was not answered")
                return
            }
            #expect(Array(reply[..<4]) == [verdict, 0, 0, 0])
            let proof = KeyedSum().proof(
                label: "ring-collectives link listener", transcript: hello.bytes + reply[..<20])
            #expect(Array(reply[20...]) == proof)
            if verdict != 0 { #expect(stranger.receive(1) == .ended([])) }
        }
    }

    @Test func believesOnlyAProof() throws {
        try Self.withRanks { transports, address in
            for key in [1, 2] as [UInt64] {
                let stranger = try Stranger(to: address)
                let hello = WireHello().bytes
                try stranger.send(hello)
                guard case .bytes(let reply) = stranger.receive(52) else {
                    Issue.record("a hello was not answered")
                    return
                }
                let label = key == 1 ? "ring-collectives link listener" : "ring-collectives link dialler"
                // The right key for another purpose, then the right purpose with another key.
                try stranger.send(KeyedSum(key: key).proof(label: label, transcript: hello + reply[..<20]))
                #expect(stranger.receive(1) == .ended([]))
            }
            let error = #expect(throws: CollectiveError.self) {
                _ = try transports[0].link(to: 1, Self.identifier, deadline: .now)
            }
            #expect(error?.code == .timedOut)
            try Self.expectLink(transports)
        }
    }

    /// A dialler that follows the protocol's description alone gets a link; frames follow its proof directly.
    @Test func takesAnyoneWhoFollowsTheProtocol() throws {
        try Self.withRanks { transports, address in
            let stranger = try Stranger(to: address)
            let hello = WireHello(channel: 7, communicator: 8, epoch: 9).bytes
            // In two parts, as a network may deliver it.
            try stranger.send(Array(hello[..<30]))
            try stranger.send(Array(hello[30...]))
            guard case .bytes(let reply) = stranger.receive(52) else {
                Issue.record("a hello was not answered")
                return
            }
            let proof = KeyedSum().proof(
                label: "ring-collectives link dialler", transcript: hello + reply[..<20])
            var header = [UInt8](repeating: 0, count: 64)
            let frame = FrameHeader(
                kind: .data, communicator: 8, epoch: 9, sequence: 1,
                signature: OperationSignature(
                    collective: .barrier, dataType: .uint8, op: nil, elementCount: 0, root: nil,
                    algorithm: AlgorithmCode(name: "dissemination")), length: 0)
            header.withUnsafeMutableBytes { frame.encode(to: $0.baseAddress!) }
            try stranger.send(proof + header)
            let identifier = LinkIdentifier(communicator: 8, epoch: 9, channel: 7)
            let link = try transports[0].link(to: 1, identifier, deadline: .after(.seconds(20)))
            var received: FrameHeader?
            let limit = Deadline.after(.seconds(20))
            while received == nil, !limit.hasPassed { received = try link.receiveHeader(readAhead: 0) }
            #expect(received == frame)
            link.close()
            #expect(stranger.receive(1) == .ended([]))
        }
    }

    @Test func hangsUpWhenShutDown() throws {
        try Self.withRanks { transports, address in
            let stranger = try Stranger(to: address)
            transports[0].shutdown()
            #expect(stranger.receive(1) == .ended([]))
            #expect(throws: SystemError.self) { _ = try Stranger(to: address) }
        }
    }
}
