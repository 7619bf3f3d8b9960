import RingCore
import RingPlan
import RingSystem
import RingTransport
import Testing

@testable import RingCollectives

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Long operations on several channels, each of which takes what its links have room for.
@Suite(.serialized) struct StripeTests {
    private static func options(channels: Int, piece: Int = 64 << 10, capacity: Int = 100_000) -> RankOptions
    {
        SegmentTests.options(piece: piece, segment: 1 << 20, channels: channels, capacity: capacity)
    }

    /// Checks an all-reduce of so many elements, with numbers that differ by place and rank.
    private static func allReduce(_ count: Int, _ communicator: Communicator) throws {
        let (rank, worldSize) = (communicator.rank, communicator.worldSize)
        var elements = (0..<count).map { Int32(truncatingIfNeeded: $0 &* 7 &+ rank) }
        try elements.withUnsafeMutableBufferPointer { try communicator.allReduce($0, .sum) }
        let ranks = worldSize * (worldSize - 1) / 2
        let isRight = elements.indices.allSatisfy {
            elements[$0] == Int32(truncatingIfNeeded: $0 &* 7 &* worldSize &+ ranks)
        }
        #expect(isRight)
    }

    private static let longCount = 1 << 20

    /// Both directions of channel 1 hold 100,000 bytes for 200 ms: half a million bytes a second, where the other channel
    /// takes two hundred times as much, or a tenth of that while other tests have the processors.
    @Test func aSlowLinkTakesLessOfTheWork() async throws {
        let group = try await RankGroup.connect(2, Self.options(channels: 2))
        let network = try #require(group.network)
        for (from, to) in [(0, 1), (1, 0)] {
            network.inject(.delay(.milliseconds(1)), from: from, to: to, channel: 0)
            network.inject(.delay(.milliseconds(200)), from: from, to: to, channel: 1)
        }
        for outcome in await group.run({ try Self.allReduce(Self.longCount, $0) }) { try outcome.get() }
        await group.close()
        for (from, to) in [(0, 1), (1, 0)] {
            let fast = network.bytesSent(from: from, to: to, channel: 0)
            let slow = network.bytesSent(from: from, to: to, channel: 1)
            #expect(slow > 0)
            #expect(slow < fast / 2, "\(slow) bytes over the slow link, \(fast) over the other")
            #expect(fast + slow >= Self.longCount * 4)
        }
    }

    /// Where each link is full for a while, all are used.
    @Test(arguments: [2, 3, 5]) func allLinksAreUsed(_ worldSize: Int) async throws {
        let group = try await RankGroup.connect(worldSize, Self.options(channels: 3))
        let network = try #require(group.network)
        for from in 0..<worldSize {
            for to in 0..<worldSize where to != from {
                network.inject(.delay(.milliseconds(5)), from: from, to: to)
            }
        }
        let outcomes = await group.run { communicator in
            for _ in 0..<3 { try Self.allReduce(Self.longCount + 13, communicator) }
            try communicator.run(.barrier())
        }
        for outcome in outcomes { try outcome.get() }
        await group.close()
        let next = 1 % worldSize
        for channel in 0..<UInt16(3) { #expect(network.bytesSent(from: 0, to: next, channel: channel) > 0) }
    }

    /// Started one after another, some long and some short: each channel's links carry them in order.
    @Test func longAndShortTakeTurns() async throws {
        let group = try await RankGroup.connect(3, Self.options(channels: 2))
        let outcomes = await group.run { communicator in
            let counts = [1 << 19, 10, 3 << 18, 1, 1 << 19, 1000]
            let buffers = counts.map { count in
                let buffer = UnsafeMutableBufferPointer<Int32>.allocate(capacity: count)
                buffer.initialize(repeating: Int32(communicator.rank))
                return buffer
            }
            defer { for buffer in buffers { buffer.deallocate() } }
            let works = try buffers.map { try communicator.start(.allReduce($0, .sum)) }
            for work in works { try work.wait() }
            for buffer in buffers { #expect(buffer.allSatisfy { $0 == 3 }) }
        }
        for outcome in outcomes { try outcome.get() }
        await group.close()
    }

    // MARK: Failure

    /// One link of several breaks: the ranks do not wait for what it held.
    @Test(arguments: [InMemoryNetwork.Fault.drop, .corrupt(byte: 5), .stall]) func aLinkOfSeveralFails(
        _ fault: InMemoryNetwork.Fault
    ) async throws {
        var options = Self.options(channels: 2)
        if fault == .stall { options.timeout = .seconds(2) }
        let group = try await RankGroup.connect(2, options)
        let network = try #require(group.network)
        network.inject(fault, from: 0, to: 1, channel: 1)
        let outcomes = await group.run { try Self.allReduce(Self.longCount, $0) }
        await group.close()
        for outcome in outcomes {
            let error = #expect(throws: CollectiveError.self) { try outcome.get() }
            let expected: CollectiveError.Code =
                switch fault {
                case .drop: .peerLost
                case .stall: .timedOut
                default: .protocolViolation
                }
            #expect(error?.code == expected, "\(error?.message ?? "")")
        }
    }

    /// A long operation against a short one, or against a long one of another kind.
    @Test(arguments: [10, 1 << 18, (1 << 19) + 1]) func aLongOperationMeetsAnother(_ count: Int) async throws
    {
        let group = try await RankGroup.connect(3, Self.options(channels: 2))
        let outcomes = await group.run { communicator in
            try Self.allReduce(communicator.rank == 1 ? count : 1 << 19, communicator)
        }
        await group.close()
        for outcome in outcomes {
            let error = #expect(throws: CollectiveError.self) { try outcome.get() }
            #expect(error?.code == .mismatch)
            #expect(error?.message.contains("rank 1 called all-reduce of \(count) int32") == true)
            #expect(error?.message.contains("called all-reduce of \(1 << 19) int32") == true)
        }
    }

    // MARK: What the channels share

    /// Rank 0's part of a ring of two over 100 bytes, shared by two channels.
    private static func operation() throws -> SharedOperation {
        let plan = try Planners.plan(
            PlanRequest(.allReduce, worldSize: 2, rank: 0, elementCount: 100, isInPlace: true),
            algorithm: "ring")
        let program = PlanProgram(plan, elementSize: 1)
        let signature = OperationSignature(
            collective: .allReduce, dataType: .uint8, op: .sum, elementCount: 100, root: nil,
            algorithm: AlgorithmCode(name: "ring"))
        let request = OperationRequest(
            signature: signature, algorithm: "ring", isInPlace: true, input: nil, output: nil,
            timeout: .seconds(1))
        let operation = SharedOperation(nudges: [try WakeUp(), try WakeUp()])
        operation.begin(
            SharedOperation.Terms(
                request: request, program: program, sequence: 0, started: .now, deadline: .after(.seconds(1)),
                kernel: nil, finalKernel: nil, scratch: nil, channels: 2))
        return operation
    }

    @Test func theFirstStripeIsTheFirstChannels() throws {
        let operation = try Self.operation()
        #expect(operation.take(0, channel: 1, atMost: 20) == nil)
        let first = try #require(operation.take(0, channel: 0, atMost: 20))
        #expect((first.start, first.end) == (0, 20))
        let second = try #require(operation.take(0, channel: 1, atMost: 40))
        #expect((second.start, second.end) == (20, 50))
        // The chunk that comes back waits for what is received.
        #expect(operation.take(0, channel: 0, atMost: 20) == nil)
    }

    @Test func whatComesLateHoldsBackWhatFollowsIt() throws {
        let operation = try Self.operation()
        let sends = [
            try #require(operation.take(0, channel: 0, atMost: 20)),
            try #require(operation.take(0, channel: 1, atMost: 30)),
        ]
        let receive = operation.terms.program.lanes[0].receives[0]
        let late = SharedOperation.Stripe(transfer: receive, start: 0, end: 24)
        let early = SharedOperation.Stripe(transfer: receive, start: 24, end: 50)
        #expect(operation.arrives(early))
        #expect(operation.arrives(late))
        operation.advance(early, to: 50)
        #expect(operation.take(0, channel: 0, atMost: 20) == nil)
        operation.advance(late, to: 10)
        let back = try #require(operation.take(0, channel: 0, atMost: 100))
        #expect((back.start, back.end) == (0, 50))
        #expect(operation.allowance(back) == 10)
        operation.advance(late, to: 24)
        #expect(operation.allowance(back) == 50)
        for stripe in sends { operation.advance(stripe, to: stripe.end, sent: stripe.end - stripe.start) }
        operation.advance(back, to: 50, sent: 50)
        #expect(operation.wireBytes == 100)
        #expect(try !operation.isOver())
        let last = SharedOperation.Stripe(
            transfer: operation.terms.program.lanes[0].receives[1], start: 0, end: 50)
        #expect(operation.arrives(last))
        operation.advance(last, to: 50)
        #expect(try operation.isOver())
        #expect(operation.received == .max)
    }

    @Test func bytesThatCameBeforeAreRefused() throws {
        let operation = try Self.operation()
        let receive = operation.terms.program.lanes[0].receives[0]
        func stripe(_ range: Range<Int>) -> SharedOperation.Stripe {
            SharedOperation.Stripe(transfer: receive, start: range.lowerBound, end: range.upperBound)
        }
        #expect(operation.arrives(stripe(0..<20)))
        #expect(!operation.arrives(stripe(10..<30)))
        operation.advance(stripe(0..<20), to: 20)
        #expect(!operation.arrives(stripe(0..<20)))
        #expect(operation.arrives(stripe(30..<40)))
        #expect(!operation.arrives(stripe(25..<50)))
        #expect(operation.arrives(stripe(20..<30)))
    }

    @Test func aChannelIsWokenByTheOther() throws {
        let operation = try Self.operation()
        let version = operation.version
        #expect(operation.fallsAsleep(1, since: version))
        _ = operation.take(0, channel: 0, atMost: 20)
        var descriptors = [pollfd(fd: operation.nudge(1).descriptor, events: Int16(POLLIN), revents: 0)]
        #expect(poll(&descriptors, 1, 0) == 1)
        operation.wakesUp(1)
        #expect(poll(&descriptors, 1, 0) == 0)
        #expect(!operation.fallsAsleep(1, since: version))
    }
}
