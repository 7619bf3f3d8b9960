import RingCore
import RingPlan
import Testing

/// Plans broken in one way each: the simulator finds it, and says which rank and step.
@Suite struct PlanRefutationTests {
    /// The refutation of these plans; a test that gets none fails.
    static func refutation(_ plans: [Plan]) throws -> PlanRefutation {
        try #require(throws: PlanRefutation.self) { try Simulator.prove(plans) }
    }

    static func ring(_ worldSize: Int = 4, _ count: Int = 9, isInPlace: Bool = true) throws -> [Plan] {
        try plans(.allReduce, by: "ring", worldSize: worldSize, elementCount: count, isInPlace: isInPlace)
    }

    @Test func droppedStep() throws {
        let found = try Self.refutation(Self.ring().changing(1) { $0.steps.removeLast() })
        #expect(found.kind == .unmatched)
        #expect(found.description == "rank 0, step 5: sends to 1, which has no receive for it")
    }

    @Test func droppedLastStepOfAll() throws {
        let plans = try Self.ring().map { plan in
            var plan = plan
            plan.steps.removeLast()
            return plan
        }
        let found = try Self.refutation(plans)
        #expect(found.kind == .result)
        #expect(found.rank == 0)
        #expect(found.reason.contains("ends without rank 1's contribution"))
    }

    @Test func doubledContribution() throws {
        let plans = try Self.ring().changing(2) { plan in
            guard let destination = plan.steps[3].receive?.destination else { return }
            plan.steps[3].receive?.action = .reduce(own: destination, isFinal: false)
        }
        let found = try Self.refutation(plans)
        #expect(found.kind == .doubled)
        #expect((found.rank, found.step) == (2, 3))
        #expect(found.reason.contains("a second time"))
    }

    @Test func changedPeer() throws {
        let found = try Self.refutation(Self.ring().changing(1) { $0.steps[0].send?.peer = 3 })
        #expect([.unmatched, .mismatched].contains(found.kind))
    }

    @Test func swappedPeers() throws {
        let plans = try Self.ring().changing(1) { plan in
            for index in plan.steps.indices {
                plan.steps[index].send?.peer = 0
                plan.steps[index].receive?.peer = 2
            }
        }
        #expect(try Self.refutation(plans).kind == .unmatched)
    }

    @Test func anotherChunk() throws {
        // Both are two elements, so only the chunk's number tells.
        let found = try Self.refutation(
            Self.ring(4, 8, isInPlace: false).changing(3) { $0.steps[0].send?.source.chunks = 1..<2 })
        #expect(found.kind == .mismatched)
        #expect((found.rank, found.step) == (3, 0))
        #expect(found.reason.contains("to rank 0, whose step 0 expects chunk 2"))
    }

    @Test func anotherPlace() throws {
        let found = try Self.refutation(
            Self.ring(4, 8, isInPlace: false).changing(3) { $0.steps[0].send?.source.range = 0..<2 })
        #expect(found.kind == .misplaced)
        #expect((found.rank, found.step) == (3, 0))
    }

    @Test func wrongSize() throws {
        let found = try Self.refutation(
            Self.ring().changing(2) { $0.steps[1].receive?.destination.range = 0..<1 })
        #expect(found.kind == .geometry)
        #expect((found.rank, found.step) == (2, 1))
    }

    @Test(arguments: [(0, true), (2, false)]) func wrongFinality(step: Int, isFinal: Bool) throws {
        let plans = try Self.ring().changing(1) { plan in
            guard case .reduce(let own, _)? = plan.steps[step].receive?.action else { return }
            plan.steps[step].receive?.action = .reduce(own: own, isFinal: isFinal)
        }
        let found = try Self.refutation(plans)
        #expect(found.kind == .finality)
        #expect((found.rank, found.step) == (1, step))
    }

    @Test func undefinedRead() throws {
        var plans = try plans(
            .broadcast, by: "binomial-tree", worldSize: 2, elementCount: 3, root: 0, isInPlace: false)
        plans[0].steps = [Step(send: Send(peer: 1, source: Slice(.output, chunk: 0, 0..<3)))]
        let found = try Self.refutation(plans)
        #expect(found.kind == .undefined)
        #expect((found.rank, found.step) == (0, 0))
    }

    @Test func unwrittenOutput() throws {
        for collective in [Collective.allReduce, .reduceScatter, .allGather] {
            let plans = try plans(collective, by: "ring", worldSize: 1, elementCount: 3, isInPlace: false)
            #expect(try Self.refutation(plans.changing(0) { $0.steps = [] }).kind == .result)
        }
    }

    @Test func missingRoundOfABarrier() throws {
        let plans = try plans(.barrier, by: "dissemination", worldSize: 5, elementCount: 0, isInPlace: true)
        let shortened = plans.map { plan in
            var plan = plan
            plan.steps.removeLast()
            return plan
        }
        let found = try Self.refutation(shortened)
        #expect(found.kind == .result)
        #expect(found.description == "rank 0: may leave the barrier before it knows that rank 1 has entered")
    }

    /// Every single dependency that the planners give is needed.
    @Test(arguments: [true, false]) func missingDependency(isInPlace: Bool) throws {
        var removed = 0
        for planner in Planners.all {
            let isBarrier = planner.collective == .barrier
            let count = planner.collective == .allToAll ? 32 : isBarrier ? 0 : 11
            let plans = try plans(
                planner.collective, by: planner.name, worldSize: 4, elementCount: count, root: 1,
                isInPlace: isInPlace, chunkCount: 3)
            for (rank, plan) in plans.enumerated() {
                for (index, step) in plan.steps.enumerated() {
                    for position in (step.send?.after ?? []).indices {
                        let broken = plans.changing(rank) { $0.steps[index].send?.after.remove(at: position) }
                        let found = try Self.refutation(broken)
                        #expect(found.kind == (isBarrier ? .result : .race))
                        removed += 1
                    }
                    for position in (step.receive?.after ?? []).indices {
                        let broken = plans.changing(rank) {
                            $0.steps[index].receive?.after.remove(at: position)
                        }
                        let found = try Self.refutation(broken)
                        #expect(found.kind == .race)
                        #expect((found.rank, found.step) == (rank, index))
                        removed += 1
                    }
                }
            }
        }
        #expect(removed > 100)
    }
}
