import RingCollectives
import RingCore
import Testing

/// Ranks that do not make the same call find out, all of them, what the others called.
@Suite struct MismatchTests {
    /// A call of 400 bytes, and how a message describes it.
    struct Call: Sendable {
        var text: String
        var make: @Sendable (UnsafeMutableRawBufferPointer) -> CollectiveOperation
    }

    struct Disagreement: Sendable, CustomTestStringConvertible {
        var name: String
        var most: Call
        var odd: Call
        /// Whether no rank's part can end well: a broadcast's root may have done all that it has to.
        var endsNowhere = true

        var testDescription: String { name }
    }

    static let sum = Call(text: "all-reduce of 100 float32, sum (ring)") { .allReduce($0, .float32, .sum) }

    static func broadcast(root: Rank, _ algorithm: String) -> Call {
        Call(text: "broadcast of 100 float32, root \(root) (\(algorithm))") {
            .broadcast($0, .float32, root: root).using(Algorithm(name: algorithm))
        }
    }

    static let disagreements = [
        Disagreement(
            name: "count", most: sum,
            odd: Call(text: "all-reduce of 99 float32, sum (ring)") {
                .allReduce(UnsafeMutableRawBufferPointer(rebasing: $0[..<396]), .float32, .sum)
            }),
        Disagreement(
            name: "type", most: sum,
            odd: Call(text: "all-reduce of 100 int32, sum (ring)") { .allReduce($0, .int32, .sum) }),
        Disagreement(
            name: "op", most: sum,
            odd: Call(text: "all-reduce of 100 float32, max (ring)") { .allReduce($0, .float32, .max) }),
        Disagreement(
            name: "reduce-scatter", most: sum,
            odd: Call(text: "reduce-scatter of 100 float32, sum (ring)") {
                .reduceScatter($0, .float32, .sum)
            }),
        Disagreement(name: "broadcast", most: sum, odd: broadcast(root: 1, "binomial-tree")),
        Disagreement(
            name: "barrier", most: sum, odd: Call(text: "barrier (dissemination)") { _ in .barrier() }),
        Disagreement(
            name: "root", most: broadcast(root: 0, "binomial-tree"), odd: broadcast(root: 1, "binomial-tree"),
            endsNowhere: false),
        Disagreement(
            name: "algorithm", most: broadcast(root: 0, "binomial-tree"),
            odd: broadcast(root: 0, "pipelined-ring"), endsNowhere: false),
    ]

    /// What a rank saw: the first call's error, if it failed, and those of the calls after it.
    struct Sighting: Sendable {
        var first: CollectiveError?
        var later: [CollectiveError]
    }

    @Test(arguments: disagreements, [0, 2]) func oneDisagrees(_ disagreement: Disagreement, odd: Rank)
        async throws
    {
        let group = try await RankGroup.connect(4)
        let watch = Stopwatch()
        let outcomes = await group.run(timing: watch) { communicator in
            try Self.sight(communicator, communicator.rank == odd ? disagreement.odd : disagreement.most)
        }
        // The default timeout is three minutes: it is the watchdog that ends the ranks, after about a second.
        #expect(watch.elapsed < .seconds(50))
        await group.close()
        let sightings = try outcomes.map { try $0.get() }
        let cause = try #require(sightings[0].later.first)
        #expect(cause.code == .mismatch)
        #expect(cause.message.contains("rank \(odd) called \(disagreement.odd.text)"))
        #expect(cause.message.contains(" called \(disagreement.most.text)"))
        for (rank, sighting) in sightings.enumerated() {
            #expect(!disagreement.endsNowhere || sighting.first != nil, "rank \(rank) has a result")
            for error in [sighting.first].compactMap({ $0 }) + sighting.later {
                #expect(error.code == .mismatch, "rank \(rank): \(error)")
                #expect(error.message == cause.message, "rank \(rank)")
                #expect(error.peer == cause.peer, "rank \(rank)")
            }
        }
    }

    /// Makes the call and, whatever became of it, three others.
    private static func sight(_ communicator: Communicator, _ call: Call) throws -> Sighting {
        var elements = [Float](repeating: Float(communicator.rank + 1), count: 100)
        let first = elements.withUnsafeMutableBytes { buffer in
            Self.error { try communicator.run(call.make(buffer)) }
        }
        let later = [
            Self.error { try communicator.barrier() },
            Self.error {
                try elements.withUnsafeMutableBufferPointer { try communicator.allReduce($0, .sum) }
            },
            Self.error { try communicator.start(.barrier()).wait() },
        ]
        return Sighting(
            first: first,
            later: try later.map {
                guard let error = $0 else {
                    throw Wrong(description: "rank \(communicator.rank): a call after the failure went well")
                }
                return error
            })
    }

    private static func error(of body: () throws -> Void) -> CollectiveError? {
        Result(catching: body).collectiveError
    }
}
