import RingCollectives
import RingCore
import RingTransport
import Testing

/// Links are made to the peers that a plan needs, when it first needs them.
@Suite struct LinkTests {
    @Test(arguments: [2, 3, 4, 6]) func onlyThosePlanned(worldSize: Int) async throws {
        let group = try await RankGroup.connect(worldSize)
        let network = try #require(group.network)
        #expect(network.linkCount == worldSize - 1, "a control link from each rank to rank 0")

        func run(_ exercise: Exercise) async throws -> Int {
            let before = network.linkCount
            for outcome in await group.run({ try exercise.run(on: $0) }) { try outcome.get() }
            return network.linkCount - before
        }
        // Between two ranks, the links to the next and from the previous one are the same.
        let ring = worldSize == 2 ? 1 : worldSize
        #expect(try await run(Exercise(collective: .allReduce, count: 1_000)) == ring)
        #expect(try await run(Exercise(collective: .allReduce, count: 1_000)) == 0)
        // The same neighbours.
        #expect(try await run(Exercise(collective: .allReduce, count: 77, op: .max, isInPlace: false)) == 0)
        #expect(try await run(Exercise(collective: .reduceScatter, count: 100)) == 0)
        #expect(try await run(Exercise(collective: .allGather, count: 100)) == 0)
        await group.close()
    }

    /// The first round of a dissemination is the ring; the later ones need links of their own.
    @Test func barrierAddsItsOwn() async throws {
        let group = try await RankGroup.connect(5)
        let network = try #require(group.network)
        for outcome in await group.run({ try $0.barrier() }) { try outcome.get() }
        // Distances 1, 2 and 4 of 5 ranks: 4 is 1 the other way round.
        #expect(network.linkCount == 4 + 5 + 5)
        for outcome in await group.run({ try $0.barrier() }) { try outcome.get() }
        #expect(network.linkCount == 4 + 5 + 5)
        await group.close()
    }

    /// A world of one has nobody to link to.
    @Test func noneForOneRank() async throws {
        let group = try await RankGroup.connect(1)
        for outcome in await group.run({ try Exercise(collective: .allReduce, count: 10).run(on: $0) }) {
            try outcome.get()
        }
        #expect(group.network?.linkCount == 0)
        await group.close()
    }
}
