import RingCollectives
import RingCore
import RingSystem
import RingTransport
import Testing

/// New communicators of some or all of a communicator's ranks, beside it.
@Suite(.serialized) struct SplitTests {
    /// Reduces over a communicator and checks that just its members took part.
    static func sum(_ communicator: Communicator, count: Int = 257, timeout: Duration? = nil) throws {
        var elements = (0..<count).map { Int64(1 << communicator.members[communicator.rank]) + Int64($0) }
        try elements.withUnsafeMutableBufferPointer {
            try communicator.allReduce($0, .sum, timeout: timeout)
        }
        let members = communicator.members.reduce(0) { $0 + Int64(1 << $1) }
        for (index, element) in elements.enumerated()
        where element != members + Int64(index * communicator.worldSize) {
            throw Wrong(description: "\(communicator): element \(index) is \(element)")
        }
    }

    static func expect<Value: Equatable>(_ value: Value, _ expected: Value, _ communicator: Communicator)
        throws
    {
        guard value == expected else {
            throw Wrong(description: "\(communicator): \(value), not \(expected)")
        }
    }

    // MARK: Who belongs to what

    @Test(arguments: [1, 2, 3, 5, 8]) func evenAndOdd(worldSize: Int) async throws {
        try await withRanks(worldSize) { world in
            let part = try #require(try world.split(color: world.rank % 2))
            defer { part.close() }
            let members = Array(stride(from: world.rank % 2, to: worldSize, by: 2))
            try Self.expect(part.members, members, part)
            try Self.expect(part.rank, world.rank / 2, part)
            try Self.expect(part.worldSize, members.count, part)
            try Self.expect(part.localWorldSize, members.count, part)
            try Self.expect(part.localRank, part.rank, part)
            for collective in [Collective.allReduce, .reduceScatter, .allGather, .broadcast, .barrier] {
                try Exercise(collective: collective, count: 25).run(on: part)
            }
            try Self.sum(part)
            try Self.sum(world)
        }
    }

    /// Keys order the ranks, and ranks of one key stay in their order. So rank 0 may be one that others dial.
    @Test(arguments: [RankOptions.Wire.memory(capacity: 4096), .tcp, .rdma])
    func keys(wire: RankOptions.Wire) async throws {
        var options = RankOptions()
        options.wire = wire
        try await withRanks(5, options) { world in
            let reversed = try #require(try world.split(color: -7, key: -world.rank))
            try Self.expect(reversed.members, [4, 3, 2, 1, 0], reversed)
            try Self.expect(reversed.rank, 4 - world.rank, reversed)
            let halves = try #require(try world.split(color: .max, key: world.rank < 3 ? .max : .min))
            try Self.expect(halves.members, [3, 4, 0, 1, 2], halves)
            for part in [reversed, halves] {
                try Self.sum(part)
                for root in 0..<5 {
                    try Exercise(collective: .broadcast, count: 9, root: root).run(on: part)
                }
                part.close()
            }
        }
    }

    @Test func noColor() async throws {
        let outcomes = try await withRanks(5) { world in
            let part = try world.split(color: world.rank == 3 || world.rank == 1 ? 0 : nil)
            defer { part?.close() }
            if let part { try Self.sum(part) }
            try Self.sum(world)
            return part?.members
        }
        #expect(outcomes == [nil, [1, 3], nil, [1, 3], nil])
        try await withRanks(3) { world in
            let part = try world.split(color: nil)
            try Self.expect(part == nil, true, world)
            try world.barrier()
        }
    }

    @Test func singles() async throws {
        try await withRanks(4) { world in
            let single = try #require(try world.split(color: world.rank))
            try Self.expect(single.members, [world.rank], single)
            try Self.sum(single)
            let again = try single.duplicate()
            try Self.sum(again)
            try Self.expect(again.members, [world.rank], again)
            let none = try again.split(color: nil)
            try Self.expect(none == nil, true, again)
            single.close()
            try Self.sum(again)
            again.close()
            try Self.sum(world)
        }
    }

    @Test func splitOfASplit() async throws {
        try await withRanks(8) { world in
            let half = try #require(try world.split(color: world.rank / 4, key: -world.rank))
            let quarter = try #require(try half.split(color: half.rank % 2))
            let pair = try #require(try quarter.duplicate().split(color: 0, key: quarter.rank))
            let first = world.rank / 4 * 4 + (world.rank + 1) % 2
            try Self.expect(quarter.members.sorted(), [first, first + 2].map { $0 ^ 1 }.sorted(), quarter)
            try Self.expect(pair.members, quarter.members, pair)
            for communicator in [pair, half, world, quarter, pair] { try Self.sum(communicator) }
            for communicator in [half, pair, quarter] { communicator.close() }
            try Self.sum(world)
        }
    }

    @Test func asynchronous() async throws {
        let group = try await RankGroup.connect(3)
        let outcomes = await group.runTasks { world in
            let copy = try await world.duplicate()
            let part = try #require(try await copy.split(color: world.rank == 1 ? nil : 4) ?? copy)
            let sum = try await part.allReduce([Float(1)], .sum)
            try Self.expect(sum, [world.rank == 1 ? 3 : 2], part)
            if world.rank != 1 { _ = try await copy.allReduce([Float(1)], .sum) }
            part.close()
            copy.close()
        }
        for outcome in outcomes { try outcome.get() }
        await group.close()
    }

    // MARK: Side by side

    /// Two communicators of the same ranks, each used by a thread of its own, in orders that nobody coordinates.
    @Test(arguments: [RankOptions.Wire.memory(capacity: 4096), .tcp, .rdma])
    func twoThreads(wire: RankOptions.Wire) async throws {
        var options = RankOptions()
        options.wire = wire
        let group = try await RankGroup.connect(3, options)
        let copies = try await group.run { try $0.duplicate() }.map { try $0.get() }
        let outcomes = await onThreads(6, within: RankOptions.limit) { index in
            let communicator = index < 3 ? group.communicators[index] : copies[index - 3]
            for round in 0..<40 { try Self.sum(communicator, count: (round * 97 + index / 3 * 500) % 2_000) }
        }
        for outcome in outcomes { try outcome.get() }
        for copy in copies { copy.close() }
        await group.close()
    }

    /// Splits of two communicators at once give numbers that never meet.
    @Test func splitsAtOnce() async throws {
        let group = try await RankGroup.connect(3)
        let copies = try await group.run { try $0.duplicate() }.map { try $0.get() }
        let outcomes = await onThreads(6, within: RankOptions.limit) { index in
            let parent = index < 3 ? group.communicators[index] : copies[index - 3]
            var parts: [Communicator] = []
            for round in 0..<6 {
                parts.append(try #require(try parent.split(color: 0, key: round % 2 == 0 ? 0 : -parent.rank)))
            }
            for part in parts { try Self.sum(part) }
            for part in parts { part.close() }
        }
        for outcome in outcomes { try outcome.get() }
        for copy in copies { copy.close() }
        await group.close()
    }

    /// Operations in flight take their turn before a split and after it.
    @Test func amongOperations() async throws {
        try await withRanks(3) { world in
            let works = try (0..<5).map { _ in try world.start(.barrier()) }
            let part = try #require(try world.split(color: 1))
            try Self.expect(works.allSatisfy(\.isFinished), true, world)
            try Self.sum(part)
            part.close()
        }
    }

    // MARK: Ends

    /// Whichever is closed first, the others live on; the transport ends with the last.
    @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]]) func closedInAnyOrder(_ order: [Int])
        async throws
    {
        let group = try await RankGroup.connect(3)
        let outcomes = await group.run { world in
            let communicators = [
                world, try world.duplicate(), try #require(try world.split(color: 0, key: -world.rank)),
            ]
            for (position, index) in order.enumerated() {
                communicators[index].close()
                for open in order[(position + 1)...] {
                    for root in 0..<3 {
                        try Exercise(collective: .broadcast, count: 5, root: root)
                            .run(on: communicators[open])
                    }
                }
                let error = Result { try communicators[index].barrier() }.collectiveError
                try Self.expect(error?.code, .closed, communicators[index])
            }
        }
        for outcome in outcomes { try outcome.get() }
        #expect(group.network?.isShutDown(0) == true)
        await group.close()
    }

    /// A communicator that nobody holds any more closes itself and lets go of the transport.
    @Test func forgotten() async throws {
        let group = try await RankGroup.connect(2)
        for outcome in await group.run({ _ = try $0.duplicate() }) { try outcome.get() }
        await group.close()
        let limit = Deadline.after(RankOptions.limit)
        while group.network?.isShutDown(0) != true, !limit.hasPassed {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(group.network?.isShutDown(0) == true)
    }

    /// What fails in one part is no concern of the others.
    @Test func failureInOnePart() async throws {
        let group = try await RankGroup.connect(6)
        let parts = try await group.run { world in
            try #require(try world.split(color: world.rank % 2, key: -world.rank))
        }.map { try $0.get() }
        let outcomes = await onThreads(6, within: RankOptions.limit) { rank in
            // The even ones disagree: the world's ranks 4, 2, 0 are 0, 1, 2 there.
            let count = rank == 2 ? 9 : 8
            if rank % 2 == 0 { try Self.sum(parts[rank], count: count) } else { try Self.sum(parts[rank]) }
        }
        let error = try FailureTests.commonError(outcomes, of: [0, 2, 4])
        #expect(error.code == .mismatch)
        #expect(error.message.contains("rank 1 called all-reduce of 9 int64"), "\(error)")
        #expect(
            error.message.hasSuffix(
                ", whose ranks 0, 1, 2 are the job's ranks 4, 2, 0)"), "\(error)")
        for rank in [1, 3, 5] { try outcomes[rank].get() }
        // The failed ones stay failed; their ranks go on in the world, and can split it again.
        for outcome in await group.run({ world in
            try Self.sum(world)
            if world.rank % 2 == 1 { try Self.sum(parts[world.rank]) }
            let again = try #require(try world.split(color: world.rank % 2))
            try Self.sum(again)
            again.close()
            if world.rank % 2 == 0 {
                try Self.expect(
                    Result { try Self.sum(parts[world.rank]) }.collectiveError?.message, error.message, world)
            }
        }) { try outcome.get() }
        for part in parts { part.close() }
        await group.close()
    }

    /// A rank that does not come names itself, by its number in the part, which the message explains.
    @Test func absentInAPart() async throws {
        let group = try await RankGroup.connect(4)
        let parts = try await group.run { try $0.split(color: $0.rank == 0 ? nil : 1) }.map { try $0.get() }
        let outcomes = await onThreads(4, within: RankOptions.limit) { rank in
            if rank == 1 || rank == 2 { try Self.sum(parts[rank]!, timeout: .seconds(1)) }
        }
        let error = try FailureTests.commonError(outcomes, of: [1, 2])
        #expect(error.code == .timedOut)
        #expect(error.peer == 2)
        #expect(error.message.contains("rank 2 has not called operation 0"), "\(error)")
        #expect(error.message.hasSuffix("whose ranks 0, 1, 2 are the job's ranks 1, 2, 3)"), "\(error)")
        for outcome in await group.run({ try Self.sum($0) }) { try outcome.get() }
        for part in parts { part?.close() }
        await group.close()
    }

    /// A rank closes a part while the others go on in it: they are told at once, and the world stays.
    @Test(arguments: [0, 2], [true, false]) func closedRankOfAPart(_ leaver: Rank, isWarm: Bool) async throws
    {
        let group = try await RankGroup.connect(3)
        let parts = try await group.run { try #require(try $0.split(color: 0, key: -$0.rank)) }
            .map { try $0.get() }
        if isWarm {
            for outcome in await onThreads(3, within: RankOptions.limit, { try Self.sum(parts[$0]) }) {
                try outcome.get()
            }
        }
        let watch = Stopwatch()
        let outcomes = await onThreads(3, within: RankOptions.limit, timing: watch) { rank in
            guard rank == leaver else { return try Self.sum(parts[rank], timeout: .seconds(3)) }
            parts[rank].close()
        }
        #expect(watch.elapsed < .seconds(5) + FailureTests.slack)
        for rank in 0..<3 where rank != leaver {
            let error = try #require(outcomes[rank].collectiveError, "rank \(rank): \(outcomes[rank])")
            #expect([.peerLost, .unreachable].contains(error.code), "rank \(rank): \(error)")
            #expect(error.peer == 2 - leaver, "rank \(rank): \(error)")
        }
        for outcome in await group.run({ try Self.sum($0) }) { try outcome.get() }
        for part in parts { part.close() }
        await group.close()
    }

    // MARK: Misuse

    /// Ranks of which one does something else are told so, all of them.
    @Test func disagreement() async throws {
        let group = try await RankGroup.connect(3)
        let outcomes = await group.run { world in
            if world.rank == 1 {
                _ = try world.duplicate()
            } else {
                _ = try world.split(color: 0)
            }
        }
        let error = try FailureTests.commonError(outcomes)
        #expect(error.code == .mismatch)
        #expect(error.message.contains(" called split"), "\(error)")
        #expect(error.message.contains("rank 1 called duplicate"), "\(error)")
        try await FailureTests.expectLasting(error, on: group)
        await group.close()

        let other = try await RankGroup.connect(2)
        // As many bytes as a split exchanges.
        let mixed = await other.run { world in
            if world.rank == 0 { return _ = try world.split(color: 0) }
            var bytes = [UInt8](repeating: 0, count: 50)
            try bytes.withUnsafeMutableBufferPointer { try world.allGather($0) }
        }
        let mismatch = try FailureTests.commonError(mixed)
        #expect(mismatch.message.contains("rank 0 called split"), "\(mismatch)")
        #expect(mismatch.message.contains("rank 1 called all-gather of 50 uint8"), "\(mismatch)")
        await other.close()
    }

    @Test func refusedTimeoutAndClosedParent() async throws {
        let group = try await RankGroup.connect(2)
        let world = group.communicators[1]
        let error = Result { _ = try world.split(color: 0, timeout: .zero) }.collectiveError
        #expect(error?.code == .invalidArgument)
        #expect(error?.message == "rank 1: split: the timeout is 0 s; it must be positive")
        await group.close()
        #expect(Result { _ = try world.split(color: 0) }.collectiveError?.code == .closed)
        #expect(Result { _ = try world.duplicate() }.collectiveError?.code == .closed)
    }

    /// Argument errors name the job's rank too, once.
    @Test func argumentErrorsAreExplained() async throws {
        try await withRanks(3) { world in
            let part = try #require(try world.split(color: world.rank / 2))
            defer { part.close() }
            guard world.rank == 2 else { return }
            var elements: [Float] = [1]
            let error = Result {
                try elements.withUnsafeMutableBufferPointer { try part.broadcast($0, root: 4) }
            }.collectiveError
            let message = error?.message ?? ""
            try Self.expect(message.hasPrefix("rank 0: broadcast: there is no rank 4"), true, part)
            try Self.expect(message.hasSuffix(", whose rank 0 is the job's rank 2)"), true, part)
        }
    }
}
