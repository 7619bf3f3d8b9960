import RingCollectives
import RingCore
import Testing

/// Messages between two ranks, and operations that run together.
@Suite(.serialized) struct GroupTests {
    /// Elements that tell where a message is from, where it goes, and which one it is.
    static func elements(_ from: Rank, _ to: Rank, _ number: Int, count: Int) -> [Int64] {
        (0..<count).map { Int64(from * 1_000_000 + to * 10_000 + number * 100_000_000 + $0) }
    }

    static func send(
        _ communicator: Communicator, to peer: Rank, _ number: Int, tag: UInt32 = 0, count: Int = 10
    ) throws {
        let elements = elements(communicator.rank, peer, number, count: count)
        try communicator.send(elements.span, to: peer, tag: tag)
    }

    static func receive(
        _ communicator: Communicator, from peer: Rank, _ number: Int, tag: UInt32 = 0, count: Int = 10
    ) throws {
        var elements = [Int64](repeating: -1, count: count)
        do {
            var span = elements.mutableSpan
            try communicator.receive(into: &span, from: peer, tag: tag)
        }
        guard elements == Self.elements(peer, communicator.rank, number, count: count) else {
            throw Wrong(description: "\(communicator): message \(number) from \(peer) is \(elements)")
        }
    }

    // MARK: Messages

    @Test(arguments: [RankOptions.Wire.memory(capacity: 4096), .tcp, .rdma], [0, 1, 1_000, 300_000])
    func oneMessage(wire: RankOptions.Wire, count: Int) async throws {
        var options = RankOptions()
        options.wire = wire
        try await withRanks(3, options) { communicator in
            // Rank 1 has no part in it.
            if communicator.rank == 0 { try Self.send(communicator, to: 2, 1, count: count) }
            if communicator.rank == 2 { try Self.receive(communicator, from: 0, 1, count: count) }
            try communicator.barrier()
            if communicator.rank == 2 { try Self.send(communicator, to: 0, 2, count: count) }
            if communicator.rank == 0 { try Self.receive(communicator, from: 2, 2, count: count) }
        }
    }

    @Test(arguments: DataType.allCases) func everyType(dataType: DataType) async throws {
        try await withRanks(2) { communicator in
            let samples = Samples(dataType: dataType, worldSize: 2)
            let sent = samples.contribution(of: 0, count: 33)
            if communicator.rank == 0 {
                try sent.withUnsafeBytes { _ = try communicator.run(.send($0, dataType, to: 1, tag: 5)) }
            } else {
                var received = [UInt8](repeating: 0, count: sent.count)
                try received.withUnsafeMutableBytes {
                    _ = try communicator.run(.receive(into: $0, dataType, from: 0, tag: 5))
                }
                guard received == sent else { throw Wrong(description: "\(dataType): \(received)") }
            }
        }
    }

    /// Messages of one tag stay in order; those of several may be received in any.
    @Test func tagsOutOfOrder() async throws {
        try await withRanks(2) { communicator in
            if communicator.rank == 0 {
                for number in 0..<6 {
                    try Self.send(
                        communicator, to: 1, number, tag: UInt32(number % 3), count: number * 50)
                }
            } else {
                for number in [2, 5, 1, 0, 3, 4] {
                    try Self.receive(
                        communicator, from: 0, number, tag: UInt32(number % 3), count: number * 50)
                }
            }
            try communicator.barrier()
        }
    }

    /// Messages in flight do not get in the way of collectives, nor the other way round.
    @Test func amongCollectives() async throws {
        try await withRanks(3) { communicator in
            for round in 0..<10 {
                let (next, previous) = ((communicator.rank + 1) % 3, (communicator.rank + 2) % 3)
                if communicator.rank == 0 {
                    try Self.send(communicator, to: next, round)
                    try Self.receive(communicator, from: previous, round)
                } else {
                    try Self.receive(communicator, from: previous, round)
                    try Self.send(communicator, to: next, round)
                }
                try Exercise(collective: .allReduce, count: 50).run(on: communicator)
            }
        }
    }

    @Test func arrays() async throws {
        let group = try await RankGroup.connect(2)
        let outcomes = await group.runTasks { communicator in
            if communicator.rank == 0 {
                try await communicator.send(Self.elements(0, 1, 1, count: 20), to: 1, tag: 3)
            } else {
                var elements = [Int64](repeating: 0, count: 20)
                try await communicator.receive(into: &elements, from: 0, tag: 3)
                try FormTests.expect(elements, Self.elements(0, 1, 1, count: 20), "the message", 1)
            }
        }
        for outcome in outcomes { try outcome.get() }
        await group.close()
    }

    /// A tag that nobody receives, a message that nobody sends: whoever waits for another gets an error that says which,
    /// in time. The sender of a message that the receiver can keep has done its part.
    @Test(arguments: [true, false]) func nobodyReceives(isSent: Bool) async throws {
        var options = RankOptions()
        options.timeout = .seconds(2)
        let group = try await RankGroup.connect(3, options)
        let watch = Stopwatch()
        let outcomes = await group.run(timing: watch) { communicator in
            switch (communicator.rank, isSent) {
            case (0, true): try Self.send(communicator, to: 1, 0, tag: 7, count: 100_000)
            case (1, true): try Self.receive(communicator, from: 0, 0, tag: 8, count: 100_000)
            case (1, false): try Self.receive(communicator, from: 0, 0, tag: 8)
            default: break
            }
        }
        #expect(watch.elapsed < .seconds(2) + FailureTests.slack)
        let error = try FailureTests.commonError(outcomes, of: [1])
        #expect(error.message.contains("tag 8"), "\(error)")
        if isSent {
            #expect(error.message.contains("nobody received: send-recv of 100000 int64, tag 7"), "\(error)")
        }
        #expect(error.message.contains("rank 0"), "\(error)")
        await group.close()
    }

    /// The two ends of a message must agree on its type and count.
    @Test func messagesThatDoNotFit() async throws {
        let group = try await RankGroup.connect(2)
        let outcomes = await group.run { communicator in
            if communicator.rank == 0 {
                try Self.send(communicator, to: 1, 0, tag: 4, count: 10)
            } else {
                try Self.receive(communicator, from: 0, 0, tag: 4, count: 9)
            }
            try communicator.barrier()
        }
        let error = try FailureTests.commonError(outcomes)
        #expect(error.code == .mismatch)
        #expect(error.message.contains("send-recv of 10 int64, tag 4"), "\(error)")
        #expect(error.message.contains("send-recv of 9 int64, tag 4"), "\(error)")
        await group.close()
    }

    // MARK: Groups

    /// A send and a receive that cross, of any size, as in a halo exchange.
    @Test(arguments: [2, 3, 5], [1, 100_000]) func ring(worldSize: Int, count: Int) async throws {
        try await withRanks(worldSize) { communicator in
            let rank = communicator.rank
            let (next, previous) = ((rank + 1) % worldSize, (rank + worldSize - 1) % worldSize)
            let own = Self.elements(rank, next, 0, count: count)
            var received = [Int64](repeating: 0, count: count)
            try own.withUnsafeBufferPointer { own in
                try received.withUnsafeMutableBufferPointer {
                    _ = try communicator.run(group: [
                        .send(own, to: next), .receive(into: $0, from: previous),
                    ])
                }
            }
            guard received == Self.elements(previous, rank, 0, count: count) else {
                throw Wrong(description: "rank \(rank) received something else")
            }
        }
    }

    /// Memory for a group's operations.
    final class Memory: @unchecked Sendable {
        // Only touched before the group starts and after it has ended.
        let buffers: [UnsafeMutableBufferPointer<Int64>]

        init(_ contents: [[Int64]]) {
            buffers = contents.map { content in
                let buffer = UnsafeMutableBufferPointer<Int64>.allocate(capacity: content.count)
                _ = buffer.initialize(from: content)
                return buffer
            }
        }

        deinit { for buffer in buffers { buffer.deallocate() } }
    }

    /// A rank's part in a group of everything: collectives, messages and a barrier.
    struct Mixture: Sendable {
        let rank: Rank
        let memory: Memory
        private var peer: Rank { rank ^ 1 }

        /// The part of one rank of four.
        init(rank: Rank) {
            self.rank = rank
            memory = Memory([
                [Int64(rank), 1], Array(repeating: Int64(rank), count: 9),
                (0..<4).map { $0 == rank ? Int64(rank + 5) : 0 },
                GroupTests.elements(rank, rank ^ 1, 3, count: 7), Array(repeating: 0, count: 7),
                (0..<4).map { Int64(rank * 10 + $0) },
            ])
        }

        var operations: [CollectiveOperation] {
            [
                .receive(into: memory.buffers[4], from: peer, tag: 9),
                .allReduce(memory.buffers[0], .sum), .broadcast(memory.buffers[1], root: 2), .barrier(),
                .allGather(memory.buffers[2]),
                .send(UnsafeBufferPointer(memory.buffers[3]), to: peer, tag: 9),
                .allToAll(memory.buffers[5]),
            ]
        }

        func check() throws {
            let results = memory.buffers.map(Array.init)
            try FormTests.expect(results[0], [6, 4], "the sum", rank)
            try FormTests.expect(results[1], Array(repeating: 2, count: 9), "the root's", rank)
            try FormTests.expect(results[2], [5, 6, 7, 8], "the gathering", rank)
            let message = GroupTests.elements(peer, rank, 3, count: 7)
            try FormTests.expect(results[4], message, "the message", rank)
            try FormTests.expect(results[5], (0..<4).map { Int64($0 * 10 + rank) }, "the blocks", rank)
        }
    }

    @Test func everythingAtOnce() async throws {
        try await withRanks(4) { communicator in
            let mixture = Mixture(rank: communicator.rank)
            let statistics = try communicator.run(group: mixture.operations)
            try mixture.check()
            try FormTests.expect(statistics.count, 7, "statistics", communicator.rank)
        }
    }

    /// As a handle an operation, which end in any order, and as one call.
    @Test(arguments: [true, false]) func everythingAwaited(byHandles: Bool) async throws {
        let group = try await RankGroup.connect(4)
        let outcomes = await group.runTasks { communicator in
            let mixture = Mixture(rank: communicator.rank)
            if byHandles {
                let works = try communicator.start(group: mixture.operations)
                try FormTests.expect(works.count, 7, "handles", communicator.rank)
                for work in works.reversed() { try await work.value }
            } else {
                try await communicator.run(group: mixture.operations)
            }
            try mixture.check()
        }
        for outcome in outcomes { try outcome.get() }
        await group.close()
    }

    /// Many small operations in one group.
    @Test func manySmall() async throws {
        try await withRanks(3) { communicator in
            let memory = Memory((0..<100).map { [Int64($0 * (communicator.rank + 1))] })
            try communicator.run(group: memory.buffers.map { .allReduce($0, .sum) })
            for (index, buffer) in memory.buffers.enumerated() where buffer[0] != Int64(index * 6) {
                throw Wrong(description: "rank \(communicator.rank): \(index) is \(buffer[0])")
            }
        }
    }

    /// A group of which one operation cannot be right is refused whole.
    @Test func refused() async throws {
        let group = try await RankGroup.connect(2)
        let communicator = group.communicators[1]
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 80, alignment: 8)
        defer { bytes.deallocate() }
        func part(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
            UnsafeMutableRawBufferPointer(rebasing: bytes[range])
        }
        func input(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(part(range)) }
        let overlap = "of a group of 2 use the same memory, and one of them writes it"
        let cases: [(group: [CollectiveOperation], reason: String)] = [
            ([], "rank 1: the group has no operations"),
            (
                [.barrier(), .broadcast(part(0..<8), .float32, root: 2)],
                "rank 1: operation 1 of a group of 2: broadcast: there is no rank 2 to be the root"
            ),
            (
                [.allReduce(part(0..<8), .float32, .sum), .allReduce(part(4..<12), .float32, .sum)],
                "rank 1: operations 0 and 1 " + overlap
            ),
            (
                [.send(input(40..<48), .float32, to: 0), .receive(into: part(44..<60), .float32, from: 0)],
                overlap
            ),
            (
                [
                    .allReduce(from: input(0..<80), into: part(0..<0), .float32, .sum)
                ], "operation 0 of a group of 1: all-reduce: the input has 20 elements, the output 0"
            ),
            (
                [
                    .send(input(0..<80), .float32, to: 0), .send(input(8..<16), .float32, to: 0),
                    .receive(into: part(76..<80), .float32, from: 0),
                ], "rank 1: operations 0 and 2 of a group of 3 use the same memory"
            ),
        ]
        for (operations, reason) in cases {
            for error in [
                Result { _ = try communicator.start(group: operations) }.collectiveError,
                Result { _ = try communicator.run(group: operations) }.collectiveError,
            ] {
                #expect(error?.code == .invalidArgument)
                #expect(error?.peer == 1)
                #expect(error?.message.contains(reason) == true, "\(error?.message ?? "accepted")")
            }
        }
        for outcome in await group.run({ try $0.barrier() }) { try outcome.get() }
        await group.close()
    }
}
