import RingCore
import RingPlan
import Testing

/// The list of algorithms, and requests that cannot be met.
@Suite struct PlannersTests {
    @Test func names() {
        #expect(Planners.names(for: .allReduce).first == "ring")
        #expect(Planners.names(for: .broadcast) == ["pipelined-ring", "binomial-tree", "direct"])
        #expect(Planners.names(for: .barrier) == ["dissemination"])
        #expect(Planners.names(for: .sendReceive) == [])
        for collective in Collective.allCases {
            let names = Planners.names(for: collective)
            #expect(Set(names).count == names.count)
        }
    }

    @Test func unknownNames() throws {
        let request = PlanRequest(
            .broadcast, worldSize: 4, rank: 0, elementCount: 8, root: 0, isInPlace: true)
        let unknown = try #require(throws: CollectiveError.self) {
            try Planners.plan(request, algorithm: "tree")
        }
        #expect(unknown.code == .invalidArgument)
        #expect(
            unknown.message
                == "rank 0: \"tree\" is not an algorithm for broadcast: use one of pipelined-ring, binomial-tree, "
                + "direct"
        )
        #expect(unknown.peer == 0)
        let message = PlanRequest(.sendReceive, worldSize: 4, rank: 0, elementCount: 8, isInPlace: true)
        let none = try #require(throws: CollectiveError.self) {
            try Planners.plan(message, algorithm: "ring")
        }
        #expect(none.code == .unsupported)
    }

    @Test func anotherCollective() throws {
        let request = PlanRequest(
            .broadcast, worldSize: 4, rank: 0, elementCount: 8, root: 0, isInPlace: true)
        let error = try #require(throws: CollectiveError.self) { try RingAllReduce.plan(request) }
        #expect(error.message == "ring plans all-reduce, not broadcast")
    }

    @Test(
        arguments: [
            (
                PlanRequest(.allReduce, worldSize: 0, rank: 0, elementCount: 1, isInPlace: true),
                "world size is 0"
            ),
            (
                PlanRequest(.allReduce, worldSize: -3, rank: 0, elementCount: 1, isInPlace: true),
                "world size is -3"
            ),
            (
                PlanRequest(.allReduce, worldSize: .max, rank: 0, elementCount: 1, isInPlace: true),
                "must be 1 to 1048576"
            ),
            (PlanRequest(.allReduce, worldSize: 4, rank: 4, elementCount: 1, isInPlace: true), "use 0 to 3"),
            (PlanRequest(.allReduce, worldSize: 4, rank: -1, elementCount: 1, isInPlace: true), "on rank -1"),
            (
                PlanRequest(.allReduce, worldSize: 4, rank: 0, elementCount: -1, isInPlace: true),
                "count is -1"
            ),
            (
                PlanRequest(.allGather, worldSize: 4, rank: 0, elementCount: .max, isInPlace: true),
                "must be 0 to"
            ),
            (
                PlanRequest(.broadcast, worldSize: 4, rank: 2, elementCount: 1, isInPlace: true),
                "root is missing"
            ),
            (
                PlanRequest(.broadcast, worldSize: 4, rank: 2, elementCount: 1, root: 4, isInPlace: true),
                "broadcast on rank 2: the root is 4; it must be 0 to 3"
            ),
            (
                PlanRequest(
                    .broadcast, worldSize: 4, rank: 2, elementCount: 1, root: 0, isInPlace: true,
                    chunkCount: 0),
                "chunk count is 0"
            ),
            (PlanRequest(.barrier, worldSize: 4, rank: 0, elementCount: 1, isInPlace: true), "must be 0"),
            (
                PlanRequest(.gather, worldSize: 4, rank: 0, elementCount: 1, root: -1, isInPlace: true),
                "gather on rank 0: the root is -1"
            ),
            (
                PlanRequest(.allToAll, worldSize: 4, rank: 0, elementCount: 20, isInPlace: true),
                "20 elements do not make 16 blocks of one size"
            ),
            (
                PlanRequest(
                    .allGather, worldSize: 2, rank: 0, elementCount: 3, counts: [1, 1, 1], isInPlace: true),
                "3 counts; all-gather over 2 ranks takes 2"
            ),
            (
                PlanRequest(
                    .reduceScatter, worldSize: 2, rank: 1, elementCount: 3, counts: [4, -1], isInPlace: true),
                "the counts are more than the element count, 3"
            ),
            (
                PlanRequest(
                    .reduceScatter, worldSize: 2, rank: 1, elementCount: 3, counts: [-1, 4], isInPlace: true),
                "count 0 is -1; it must be 0 or more"
            ),
            (
                PlanRequest(
                    .scatter, worldSize: 2, rank: 1, elementCount: 3, counts: [1, 1], root: 0,
                    isInPlace: true),
                "the counts are 2 in all, and the element count is 3"
            ),
            (
                PlanRequest(
                    .allReduce, worldSize: 1, rank: 0, elementCount: 3, counts: [3], isInPlace: true),
                "all-reduce takes no counts"
            ),
        ])
    func invalid(request: PlanRequest, message: String) throws {
        for planner in Planners.all where planner.collective == request.collective {
            let error = try #require(throws: CollectiveError.self) { try planner.plan(request) }
            #expect(error.code == .invalidArgument)
            #expect(error.message.contains(message), "\(error.message)")
        }
    }

    @Test func chunksOfAPipeline() throws {
        #expect(Pipeline.chunkCount(for: 0) == 1)
        #expect(Pipeline.chunkCount(for: 131_071) == 1)
        #expect(Pipeline.chunkCount(for: 131_072) == 2)
        #expect(Pipeline.chunkCount(for: 1 << 40) == 256)
        // No more chunks than elements.
        let request = PlanRequest(
            .broadcast, worldSize: 2, rank: 0, elementCount: 3, root: 1, isInPlace: true, chunkCount: 9)
        #expect(try PipelinedRingBroadcast.plan(request).chunks == [0..<1, 1..<2, 2..<3])
    }

    @Test func peers() throws {
        let ring = try PlanRefutationTests.ring(5)[4].peers
        #expect(ring == Plan.Peers(send: [0], receive: [3]))
        #expect(ring.all == [0, 3])
        let barrier = try plans(.barrier, by: "dissemination", worldSize: 6, elementCount: 0, isInPlace: true)
        #expect(barrier[0].peers == Plan.Peers(send: [1, 2, 4], receive: [5, 4, 2]))
    }

    /// One rank alone moves nothing over a link, and copies only where input and output differ.
    @Test func worldOfOne() throws {
        for planner in Planners.all {
            let count = planner.collective == .barrier ? 0 : 5
            for isInPlace in [true, false] {
                let request = PlanRequest(
                    planner.collective, worldSize: 1, rank: 0, elementCount: count, root: 0,
                    isInPlace: isInPlace,
                    chunkCount: 1)
                let plan = try planner.plan(request)
                #expect(plan.peers.all.isEmpty)
                #expect(plan.steps.count == (isInPlace || count == 0 ? 0 : 1))
                #expect(plan.steps.allSatisfy { $0.copy != nil })
            }
        }
    }

    /// How large the buffers are, as the engine lays them out.
    @Test func bufferCounts() throws {
        func counts(
            _ collective: Collective, _ algorithm: String, _ counts: [Int]? = nil, isInPlace: Bool
        ) throws -> [[Int]] {
            let count = counts?.reduce(0, +) ?? (collective == .allToAll ? 18 : 7)
            return try plans(
                collective, by: algorithm, worldSize: 3, elementCount: count, counts: counts, root: 1,
                isInPlace: isInPlace
            ).map { plan in [plan.count(of: .input), plan.count(of: .output)] }
        }
        let all = [[0, 7], [0, 7], [0, 7]]
        for collective in [
            Collective.allReduce, .reduceScatter, .allGather, .broadcast, .reduce, .gather, .scatter,
        ] {
            let name = try #require(Planners.names(for: collective).first)
            #expect(try counts(collective, name, isInPlace: true) == all)
        }
        #expect(try counts(.allReduce, "ring", isInPlace: false) == [[7, 7], [7, 7], [7, 7]])
        #expect(try counts(.reduceScatter, "ring", isInPlace: false) == [[7, 3], [7, 2], [7, 2]])
        #expect(try counts(.allGather, "ring", isInPlace: false) == [[3, 7], [2, 7], [2, 7]])
        #expect(try counts(.broadcast, "binomial-tree", isInPlace: false) == [[0, 7], [7, 7], [0, 7]])
        #expect(try counts(.reduce, "binomial-tree", isInPlace: false) == [[7, 0], [7, 7], [7, 0]])
        #expect(try counts(.gather, "direct", isInPlace: false) == [[3, 0], [2, 7], [2, 0]])
        #expect(try counts(.scatter, "direct", isInPlace: false) == [[0, 3], [7, 2], [0, 2]])
        #expect(try counts(.allToAll, "pairwise", isInPlace: false) == [[6, 6], [6, 6], [6, 6]])
        #expect(try counts(.allToAll, "pairwise", isInPlace: true) == [[0, 6], [0, 6], [0, 6]])

        let uneven = [4, 0, 1]
        #expect(try counts(.reduceScatter, "ring", uneven, isInPlace: false) == [[5, 4], [5, 0], [5, 1]])
        #expect(try counts(.allGather, "ring", uneven, isInPlace: false) == [[4, 5], [0, 5], [1, 5]])
        #expect(try counts(.gather, "direct", uneven, isInPlace: false) == [[4, 0], [0, 5], [1, 0]])
        #expect(try counts(.scatter, "direct", uneven, isInPlace: false) == [[0, 4], [5, 0], [0, 1]])
        let blocks = [1, 2, 3, 0, 0, 5, 9, 0, 0]
        #expect(try counts(.allToAll, "pairwise", blocks, isInPlace: false) == [[6, 10], [5, 2], [9, 8]])
    }
}
