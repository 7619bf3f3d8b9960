import RingBootstrap
import RingCollectives
import RingCore
import RingTransport
import Testing

/// When something breaks, every rank throws, in time, the one error that names who is at fault.
@Suite struct FailureTests {
    /// What the ranks may take beyond a deadline: a loaded machine is slow.
    ///
    /// Tests of other suites hold the cooperative pool's few threads for seconds at a time, and a test waits for one of
    /// those to go on; it is still less than any default that a broken limit would fall back to.
    static let slack: Duration = .seconds(50)

    static func sum(_ communicator: Communicator, count: Int = 1_000, timeout: Duration? = nil) throws {
        var elements = [Float](repeating: 1, count: count)
        try elements.withUnsafeMutableBufferPointer {
            try communicator.allReduce($0, .sum, timeout: timeout)
        }
        guard elements.allSatisfy({ $0 == Float(communicator.worldSize) }) else {
            throw Wrong(description: "rank \(communicator.rank) has a wrong sum")
        }
    }

    /// The one error that all these ranks have thrown.
    static func commonError(
        _ outcomes: [Result<Void, any Error>], of ranks: [Rank]? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> CollectiveError {
        let ranks = ranks ?? Array(outcomes.indices)
        let first = try #require(outcomes[ranks[0]].collectiveError, sourceLocation: sourceLocation)
        for rank in ranks {
            let text = "\(outcomes[rank])"
            let error = try #require(
                outcomes[rank].collectiveError, "rank \(rank): \(text)", sourceLocation: sourceLocation)
            #expect(error.code == first.code, "rank \(rank): \(error)", sourceLocation: sourceLocation)
            #expect(error.message == first.message, "rank \(rank)", sourceLocation: sourceLocation)
            #expect(error.peer == first.peer, "rank \(rank)", sourceLocation: sourceLocation)
        }
        return first
    }

    /// Every rank's next call throws this error again.
    static func expectLasting(
        _ error: CollectiveError, on group: RankGroup, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let again = try commonError(await group.run { try $0.barrier() }, sourceLocation: sourceLocation)
        #expect(again.code == error.code, sourceLocation: sourceLocation)
        #expect(again.message == error.message, sourceLocation: sourceLocation)
    }

    // MARK: Links

    /// A link breaks that has been in use, or before it is ever used.
    @Test(arguments: [true, false]) func droppedLink(isWarm: Bool) async throws {
        let group = try await RankGroup.connect(4)
        if isWarm { for outcome in await group.run({ try Self.sum($0) }) { try outcome.get() } }
        group.network?.inject(.drop, from: 1, to: 2)
        let watch = Stopwatch()
        let error = try Self.commonError(await group.run(timing: watch) { try Self.sum($0) })
        #expect(watch.elapsed < .seconds(2) + Self.slack)
        #expect(error.code == .peerLost)
        #expect(error.peer == 1 || error.peer == 2)
        #expect(error.message.contains("rank 1") || error.message.contains("rank 2"))
        try await Self.expectLasting(error, on: group)
        await group.close()
    }

    /// All links of a pair break, the control link too: nobody may wait for the judge in vain.
    @Test func droppedControlLink() async throws {
        let group = try await RankGroup.connect(3)
        group.network?.inject(.drop, from: 2, to: 0)
        let watch = Stopwatch()
        let outcomes = await group.run(timing: watch) { try Self.sum($0) }
        #expect(watch.elapsed < .seconds(3) + Self.slack)
        for (rank, outcome) in outcomes.enumerated() {
            let error = try #require(outcome.collectiveError, "rank \(rank): \(outcome)")
            #expect(error.code == .peerLost, "rank \(rank): \(error)")
            #expect(error.peer == (rank == 2 ? 0 : 2), "rank \(rank): \(error)")
        }
        await group.close()
    }

    /// Bytes that never arrive: the rank next to the link tells whom it waits for.
    @Test func stalledLink() async throws {
        let group = try await RankGroup.connect(4)
        for outcome in await group.run({ try Self.sum($0) }) { try outcome.get() }
        group.network?.inject(.stall, from: 1, to: 2)
        let watch = Stopwatch()
        let error = try Self.commonError(
            await group.run(timing: watch) { try Self.sum($0, timeout: .seconds(2)) })
        #expect(watch.elapsed < .seconds(2) + Self.slack)
        #expect(error.code == .timedOut)
        #expect(error.peer == 1)
        #expect(error.message.contains("rank 2 waits for rank 1"), "\(error)")
        #expect(error.message.contains("all-reduce of 1000 float32, sum (ring)"), "\(error)")
        try await Self.expectLasting(error, on: group)
        await group.close()
    }

    /// A bit flips in a header, on a new link or one in use: whoever sent it is named.
    @Test(arguments: [0, 2, 16, 30, 48, 63], [true, false]) func corruptHeader(byte: Int, isWarm: Bool)
        async throws
    {
        let group = try await RankGroup.connect(3)
        if isWarm { for outcome in await group.run({ try Self.sum($0) }) { try outcome.get() } }
        group.network?.inject(.corrupt(byte: byte), from: 1, to: 2)
        let error = try Self.commonError(await group.run { try Self.sum($0) })
        #expect(error.code == .protocolViolation)
        #expect(error.peer == 1)
        #expect(error.message.contains("rank 1"), "\(error)")
        try await Self.expectLasting(error, on: group)
        await group.close()
    }

    /// Bytes that are late do no harm.
    @Test func delayedLink() async throws {
        let group = try await RankGroup.connect(3)
        group.network?.inject(.delay(.milliseconds(300)), from: 1, to: 2)
        for outcome in await group.run({ try Self.sum($0) }) { try outcome.get() }
        await group.close()
    }

    // MARK: Ranks

    /// Some ranks do not call; those that do throw, in time, who has not.
    @Test(arguments: [[2], [0], [1, 3]]) func absentRanks(_ absent: [Rank]) async throws {
        var options = RankOptions()
        options.timeout = .seconds(2)
        let group = try await RankGroup.connect(4, options)
        for outcome in await group.run({ try Self.sum($0) }) { try outcome.get() }
        let watch = Stopwatch()
        let outcomes = await group.run(timing: watch) { if !absent.contains($0.rank) { try Self.sum($0) } }
        #expect(watch.elapsed < .seconds(2) + Self.slack)
        let error = try Self.commonError(outcomes, of: (0..<4).filter { !absent.contains($0) })
        #expect(error.code == .timedOut)
        #expect(error.peer == absent[0])
        let names = absent.count == 1 ? "rank \(absent[0]) has" : "ranks 1, 3 have"
        #expect(
            error.message.contains(
                "\(names) not called operation 1, all-reduce of 1000 float32, sum (ring), within 2 s"),
            "\(error)")
        // Those that come late find the communicator failed, for the same reason.
        try await Self.expectLasting(error, on: group)
        await group.close()
    }

    /// A call's own timeout counts, not the three minutes of the communicator.
    @Test func shorterTimeout() async throws {
        let group = try await RankGroup.connect(3)
        let watch = Stopwatch()
        let outcomes = await group.run(timing: watch) {
            if $0.rank != 1 { try $0.barrier(timeout: .seconds(1)) }
        }
        #expect(watch.elapsed < .seconds(1) + Self.slack)
        let error = try Self.commonError(outcomes, of: [0, 2])
        #expect(error.code == .timedOut)
        #expect(error.peer == 1)
        #expect(
            error.message.contains("rank 1 has not called operation 0, barrier (dissemination), within 1 s"),
            "\(error)")
        await group.close()
    }

    /// A rank closes while the others go on.
    @Test(arguments: [3, 0], [true, false]) func closedRank(_ leaver: Rank, isWarm: Bool) async throws {
        var options = RankOptions()
        options.timeout = .seconds(3)
        let group = try await RankGroup.connect(4, options)
        if isWarm { for outcome in await group.run({ try Self.sum($0) }) { try outcome.get() } }
        let watch = Stopwatch()
        let outcomes = await group.run(timing: watch) { communicator in
            guard communicator.rank == leaver else { return try Self.sum(communicator) }
            communicator.close()
        }
        #expect(watch.elapsed < .seconds(5) + Self.slack)
        for rank in 0..<4 where rank != leaver {
            let error = try #require(outcomes[rank].collectiveError, "rank \(rank): \(outcomes[rank])")
            #expect([.peerLost, .unreachable].contains(error.code), "rank \(rank): \(error)")
            #expect(error.peer == leaver, "rank \(rank): \(error)")
            #expect(error.message.contains("rank \(leaver)"), "rank \(rank): \(error)")
        }
        await group.close()
    }

    // MARK: Start-up

    /// Starts these ranks of a world; what each of them throws.
    private func start(
        _ ranks: [Rank], of worldSize: Int, within timeout: Duration, timing watch: Stopwatch
    ) async throws -> [CollectiveError] {
        let network = InMemoryNetwork(worldSize: worldSize)
        let store = InMemoryStore()
        let outcomes = await onThreads(ranks.count, within: RankOptions.limit, timing: watch) { index in
            var configuration = Configuration(
                rank: ranks[index], worldSize: worldSize, store: .custom(store))
            configuration.connectTimeout = timeout
            try Communicator.connect(configuration, over: network.transport(for: ranks[index])).close()
        }
        return try outcomes.map { try #require($0.collectiveError, "\($0)") }
    }

    @Test func missingRank() async throws {
        let watch = Stopwatch()
        for error in try await start([0, 1, 3], of: 4, within: .seconds(1), timing: watch) {
            #expect(error.code == .rendezvousFailed)
            #expect(error.peer == 2)
            #expect(error.message.contains("rank 2 of 4 did not arrive within "), "\(error)")
        }
        #expect(watch.elapsed < .seconds(1) + Self.slack)
    }

    @Test func doubledRank() async throws {
        let watch = Stopwatch()
        for error in try await start([0, 1, 1], of: 3, within: .seconds(30), timing: watch) {
            #expect(error.code == .rendezvousFailed)
            #expect(error.peer == 1)
            #expect(error.message.contains("rank 1 is claimed by two processes"), "\(error)")
        }
        // Nobody waits for rank 2, which can no longer help.
        #expect(watch.elapsed < Self.slack)
    }
}
