import RingCore
import RingSystem
import RingTransport
import Testing

@testable import RingTransportTCP

/// What a rank that dials is told when the other end is not as it should be.
@Suite struct TCPDialTests {
    private static let identifier = LinkIdentifier(communicator: 3, epoch: 4, channel: 0)

    /// Rank 1 dials rank 0, which is said to be at `address`, and fails.
    private static func failure(
        dialling address: SocketAddress, worldSize: Int = 2, within time: Duration = .seconds(20)
    ) throws -> CollectiveError {
        let transport = try TCPRanks.rankOne(facing: address, worldSize: worldSize)
        defer { transport.shutdown() }
        let error = #expect(throws: CollectiveError.self) {
            _ = try transport.link(to: 0, identifier, deadline: .after(time))
        }
        let failure = try #require(error)
        #expect(failure.peer == 0)
        #expect(failure.message.contains("rank 0 (\(address))"))
        return failure
    }

    /// As above, with a listener that lives until then.
    private static func failure(dialling listener: FakeListener) throws -> CollectiveError {
        try withExtendedLifetime(listener) { try failure(dialling: listener.address) }
    }

    @Test func namesRankAndAddressThatRefuse() throws {
        let address: SocketAddress
        do {
            let listener = try Socket.listening(on: SocketAddress(host: [127, 0, 0, 1], port: 0))
            address = try listener.localAddress()
        }
        let error = try Self.failure(dialling: address)
        #expect(error.code == .unreachable)
        #expect(error.message.contains("connection refused"))
        #expect((error.cause as? SystemError)?.reason == "connection refused")
    }

    @Test func namesARankThatHasShutDown() throws {
        let transports = try TCPRanks.met(2)
        let address = transports[0].address
        transports[0].shutdown()
        defer { transports[1].shutdown() }
        let error = #expect(throws: CollectiveError.self) {
            _ = try transports[1].link(to: 0, Self.identifier, deadline: .after(.seconds(20)))
        }
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains("rank 1 cannot connect to rank 0 (\(address))") == true)
    }

    @Test func givesUpOnASilentListener() throws {
        // The system completes the connection; nobody ever takes it.
        let listener = try Socket.listening(on: SocketAddress(host: [127, 0, 0, 1], port: 0))
        let error = try Self.failure(dialling: try listener.localAddress(), within: .milliseconds(80))
        #expect(error.code == .timedOut)
        #expect(error.message.contains("did not answer rank 1's connection in time"))
    }

    @Test func givesUpOnAnAddressThatDoesNotAnswer() throws {
        // A listener whose backlog is full drops what comes, as a host that is not there does.
        let listener = try Socket.listening(on: SocketAddress(host: [127, 0, 0, 1], port: 0), backlog: 0)
        let address = try listener.localAddress()
        let first = try Stranger(to: address)
        let error = try Self.failure(dialling: address, within: .milliseconds(80))
        #expect(error.code == .timedOut)
        #expect(first.receive(1, within: .zero) == .silence([]))
    }

    @Test func abortEndsADialThatWaits() throws {
        let listener = try Socket.listening(on: SocketAddress(host: [127, 0, 0, 1], port: 0))
        let transport = try TCPRanks.rankOne(facing: try listener.localAddress())
        defer { transport.shutdown() }
        let aborting = try SystemThread(name: "aborting") {
            transport.abort(CollectiveError(.mismatch, "enough", peer: 0))
        }
        let error = #expect(throws: CollectiveError.self) {
            _ = try transport.link(to: 0, Self.identifier, deadline: .after(.seconds(20)))
        }
        #expect(error?.code == .mismatch)
        #expect(error?.message == "enough")
        #expect(aborting.join(until: .after(.seconds(20))))
    }

    @Test func shutdownEndsADialThatWaits() throws {
        let listener = try Socket.listening(on: SocketAddress(host: [127, 0, 0, 1], port: 0))
        let transport = try TCPRanks.rankOne(facing: try listener.localAddress())
        let stopping = try SystemThread(name: "stopping") { transport.shutdown() }
        let error = #expect(throws: CollectiveError.self) {
            _ = try transport.link(to: 0, Self.identifier, deadline: .after(.seconds(20)))
        }
        #expect(error?.code == .closed)
        #expect(stopping.join(until: .after(.seconds(20))))
    }

    @Test func saysWhenTheOtherEndHangsUp() throws {
        let closed = try FakeListener { _ in }
        #expect([.peerLost, .unreachable].contains(try Self.failure(dialling: closed).code))
        let half = try FakeListener { stranger in
            _ = stranger.receive(48)
            try? stranger.send([0, 0, 0])
        }
        let error = try Self.failure(dialling: half)
        #expect(error.code == .peerLost)
        #expect(error.message.contains("closed a connection that rank 1 was making"))
    }

    @Test func saysWhenAnotherProgramListens() throws {
        let listener = try FakeListener { stranger in
            _ = stranger.receive(48)
            try? stranger.send(
                Array("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n400 Bad Request".utf8))
            _ = stranger.receive(1)
        }
        let error = try Self.failure(dialling: listener)
        #expect(error.code == .protocolViolation)
        #expect(error.message.contains("is not a ring-collectives rank of this version"))
    }

    /// A listener that answers with `verdict` and a proof made with `key`, as the protocol's description says.
    private static func answering(
        verdict: UInt32, key: UInt64 = 1,
        _ then: @escaping @Sendable (Stranger, [UInt8]) -> Void = { _, _ in }
    ) throws -> FakeListener {
        try FakeListener { stranger in
            guard case .bytes(let hello) = stranger.receive(48) else { return }
            let answer =
                withUnsafeBytes(of: verdict.littleEndian) { Array($0) } + [UInt8](repeating: 9, count: 16)
            let proof = KeyedSum(key: key).proof(
                label: "ring-collectives link listener", transcript: hello + answer)
            try? stranger.send(answer + proof)
            then(stranger, hello + answer)
        }
    }

    @Test func refusesAListenerThatDoesNotKnowTheSecret() throws {
        let error = try Self.failure(dialling: try Self.answering(verdict: 0, key: 2))
        #expect(error.code == .authenticationFailed)
        #expect(error.message.contains("RING_JOB_SECRET"))
        // A refusal is believed no sooner than a welcome.
        let refusal = try Self.failure(dialling: try Self.answering(verdict: 1, key: 2))
        #expect(refusal.code == .authenticationFailed)
    }

    @Test(
        arguments: [(1, "another rank listens there"), (2, "it has another world size")] as [(UInt32, String)]
    )
    func passesOnWhyItWasRefused(_ verdict: UInt32, _ reason: String) throws {
        let error = try Self.failure(dialling: try Self.answering(verdict: verdict))
        #expect(error.code == .rendezvousFailed)
        #expect(error.message.contains("refused rank 1: \(reason)"))
    }

    @Test func refusesAnUnknownVerdict() throws {
        #expect(try Self.failure(dialling: try Self.answering(verdict: 3)).code == .protocolViolation)
    }

    /// The dialler's messages, byte for byte.
    @Test func saysWhatTheProtocolDescribes() throws {
        let heard = Monitor<(hello: [UInt8], isProofRight: Bool)?>(nil)
        let listener = try Self.answering(verdict: 0) { stranger, transcript in
            guard case .bytes(let proof) = stranger.receive(32) else { return }
            let expected = KeyedSum().proof(label: "ring-collectives link dialler", transcript: transcript)
            heard.withLock(notifying: true) { $0 = (Array(transcript[..<48]), proof == expected) }
        }
        let transport = try TCPRanks.rankOne(facing: listener.address, worldSize: 5)
        defer { transport.shutdown() }
        let identifier = LinkIdentifier(communicator: 0x0102_0304, epoch: 0x0506_0708, channel: 0x090A)
        let link = try transport.link(to: 0, identifier, deadline: .after(.seconds(20)))
        #expect(link.peer == 0)
        let (hello, isProofRight) = try #require(heard.wait(until: .after(.seconds(20))) { $0 })
        #expect(isProofRight)
        let expected = WireHello(
            channel: 0x090A, communicator: 0x0102_0304, epoch: 0x0506_0708, worldSize: 5, from: 1, to: 0,
            nonce: Array(hello[32...]))
        #expect(hello == expected.bytes)
    }

    @Test func ranksWithDifferentSecretsDoNotMeet() throws {
        for (low, high) in [(1, 2), (2, 1)] as [(UInt64, UInt64)] {
            let transports = try [
                TCPRanks.transport(rank: 0, key: low), TCPRanks.transport(rank: 1, key: high),
            ]
            defer { for transport in transports { transport.shutdown() } }
            for transport in transports { try transport.meet(transports.map(\.card)) }
            let error = #expect(throws: CollectiveError.self) {
                _ = try transports[1].link(to: 0, Self.identifier, deadline: .after(.seconds(20)))
            }
            #expect(error?.code == .authenticationFailed)
            #expect(error?.peer == 0)
            let other = #expect(throws: CollectiveError.self) {
                _ = try transports[0].link(to: 1, Self.identifier, deadline: .after(.milliseconds(30)))
            }
            #expect(other?.code == .timedOut)
            #expect(other?.peer == 1)
        }
    }

    @Test func ranksOfDifferentWorldsDoNotMeet() throws {
        let low = try TCPRanks.transport(rank: 0, worldSize: 2)
        let high = try TCPRanks.transport(rank: 1, worldSize: 3)
        defer { for transport in [low, high] { transport.shutdown() } }
        try high.meet([low.card, high.card, high.card])
        let error = #expect(throws: CollectiveError.self) {
            _ = try high.link(to: 0, Self.identifier, deadline: .after(.seconds(20)))
        }
        #expect(error?.code == .rendezvousFailed)
        #expect(error?.message.contains("it has another world size") == true)
    }

    @Test func namesTheAddressThatWasNotCalled() throws {
        let transport = try TCPRanks.transport(rank: 0, TCPRanks.options("127.0.0.1", "127.0.0.2"))
        defer { transport.shutdown() }
        for (channel, address) in zip(0..<2 as Range<UInt16>, transport.ownCard.addresses) {
            let error = #expect(throws: CollectiveError.self) {
                _ = try transport.link(to: 1, LinkIdentifier(channel: channel), deadline: .now)
            }
            #expect(error?.message == "rank 1 did not connect to rank 0 at \(address) in time")
        }
    }
}
