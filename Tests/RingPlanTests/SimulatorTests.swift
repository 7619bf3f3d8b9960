import RingCore
import RingPlan
import RingTestSupport
import Testing

/// The simulator on plans that no planner here makes, and on plans broken at random.
@Suite struct SimulatorTests {
    private func plan(_ worldSize: Int, _ rank: Rank, scratch: Int = 0, _ steps: [Step]) -> Plan {
        Plan(
            collective: .allReduce, algorithm: "test", worldSize: worldSize, rank: rank, isInPlace: true,
            elementCount: 3, chunks: [0..<3], scratchCount: scratch, steps: steps)
    }

    /// Recursive doubling, whose sums go back and forth between output and scratch.
    @Test(arguments: [2, 4, 8, 16, 128]) func recursiveDoubling(worldSize: Int) throws {
        let slices = [Slice(.output, chunk: 0, 0..<3), Slice(.scratch, chunk: 0, 0..<3)]
        let rounds = logarithm(worldSize)
        let plans = (0..<worldSize).map { rank in
            var steps: [Step] = []
            for round in 0..<rounds {
                let (from, to) = (slices[round % 2], slices[(round + 1) % 2])
                let peer = rank ^ (1 << round)
                // What this round overwrites was sent and read in the round before.
                steps.append(
                    Step(
                        send: Send(peer: peer, source: from, after: round == 0 ? [] : [.received(round - 1)]),
                        receive: Receive(
                            peer: peer, destination: to,
                            action: .reduce(own: from, isFinal: round == rounds - 1),
                            after: round == 0 ? [] : [.received(round - 1), .sent(round - 1)])))
            }
            if rounds % 2 == 1 {
                steps.append(
                    Step(
                        copy: LocalCopy(
                            source: slices[1], destination: slices[0],
                            after: [.received(rounds - 1), .sent(rounds - 1)])))
            }
            return plan(worldSize, rank, scratch: 3, steps)
        }
        let traffic = try Simulator.prove(plans)
        #expect(traffic.criticalPath == rounds)
        #expect(traffic.elementsSent.allSatisfy { $0 == 3 * rounds })
    }

    /// Everyone sends to everyone and adds up as it comes: right, but in an order of its own on each rank.
    @Test func exchangeInDifferentOrders() throws {
        func plans(_ worldSize: Int) -> [Plan] {
            (0..<worldSize).map { rank in
                let others = (0..<worldSize).filter { $0 != rank }
                let own = Slice(.output, chunk: 0, 0..<3)
                let sum = Slice(.scratch, chunk: 0, 0..<3)
                var steps: [Step] = []
                for (index, peer) in others.enumerated() {
                    steps.append(
                        Step(
                            send: Send(peer: peer, source: own),
                            receive: Receive(
                                peer: peer, destination: sum,
                                action: .reduce(own: index == 0 ? own : sum, isFinal: peer == others.last),
                                after: index == 0 ? [] : [.received(index - 1)])))
                }
                let sent = others.indices.map { Dependency.sent($0) }
                steps.append(
                    Step(
                        copy: LocalCopy(
                            source: sum, destination: own,
                            after: [.received(others.count - 1), .received(0)] + sent)))
                return plan(worldSize, rank, scratch: 3, steps)
            }
        }
        // Two operands may change places.
        try Simulator.prove(plans(2))
        let found = try PlanRefutationTests.refutation(plans(3))
        #expect(found.kind == .divergent)
        #expect(found.rank == 2)
    }

    @Test func countsForManyRanks() throws {
        let tree = try Simulator.measure(worldSize: 4_096) { rank in
            try BinomialTreeBroadcast.plan(
                PlanRequest(
                    .broadcast, worldSize: 4_096, rank: rank, elementCount: 10, root: 5, isInPlace: true))
        }
        #expect(tree.criticalPath == 12)
        #expect(tree.messagesSent[5] == 12)
        #expect(tree.elementsSent.reduce(0, +) == 40_950)
        let barrier = try Simulator.measure(worldSize: 1_025) { rank in
            try DisseminationBarrier.plan(
                PlanRequest(.barrier, worldSize: 1_025, rank: rank, elementCount: 0, isInPlace: true))
        }
        #expect(barrier.criticalPath == 11)
        #expect(barrier.messagesSent.allSatisfy { $0 == 11 })
    }

    @Test func countsAsProved() throws {
        let plans = try PlanRefutationTests.ring(7, 30)
        #expect(try Simulator.measure(worldSize: 7) { plans[$0] } == Simulator.prove(plans))
        #expect(throws: PlanRefutation.self) { try Simulator.measure(worldSize: 7) { plans[6 - $0] } }
        #expect(throws: PlanRefutation.self) { try Simulator.measure(worldSize: 6) { plans[$0] } }
        #expect(throws: PlanRefutation.self) { try Simulator.measure(worldSize: 0) { plans[$0] } }
    }

    /// Ranks beyond one machine word of a set.
    @Test func worldOfMoreThanOneWord() throws {
        let plans = try plans(.allGather, by: "ring", worldSize: 130, elementCount: 3, isInPlace: false)
        try Simulator.prove(plans)
        let reduced = try PlanRefutationTests.ring(70, 2, isInPlace: false)
        try Simulator.prove(reduced)
        let barrier = try RingPlanTests.plans(
            .barrier, by: "dissemination", worldSize: 130, elementCount: 0, isInPlace: true)
        try Simulator.prove(barrier)
    }

    /// What the simulator lets pass is right when run: plans with one or two random changes.
    @Test(arguments: 0..<6) func randomChanges(seed: Int) throws {
        var generator = SplitMix64(state: UInt64(seed))
        var passed = 0
        for _ in 0..<250 {
            let worldSize = Int.random(in: 2...4, using: &generator)
            var plans = try PlanRefutationTests.ring(worldSize, 5, isInPlace: Bool.random(using: &generator))
            for _ in 0..<Int.random(in: 1...2, using: &generator) { change(&plans, &generator) }
            guard (try? Simulator.prove(plans)) != nil else { continue }
            passed += 1
            let inputs = (0..<worldSize).map { rank in (0..<5).map { 1 << (4 * rank) + 1_000_000_000 * $0 } }
            let expected = (0..<5).map { element in -inputs.map { $0[element] }.reduce(0, +) }
            for seed in 0..<3 as Range<UInt64> {
                var interpreter = PlanInterpreter(plans, contributions: inputs, seed: seed)
                let outputs = interpreter.run()
                #expect(outputs == Array(repeating: expected, count: worldSize), "\(plans)")
            }
        }
        // Some changes do no harm (one more dependency); most do.
        #expect(passed > 0 && passed < 125, "\(passed)")
    }

    private func change(_ plans: inout [Plan], _ generator: inout SplitMix64) {
        let rank = Int.random(in: plans.indices, using: &generator)
        let index = Int.random(in: plans[rank].steps.indices, using: &generator)
        let other = Int.random(in: plans[rank].steps.indices, using: &generator)
        let chunk = Int.random(in: plans[rank].chunks.indices, using: &generator)
        let place = plans[rank].chunks[chunk]
        let peer = Int.random(in: plans.indices, using: &generator)
        let receive = plans[rank].steps[other].receive
        switch Int.random(in: 0..<9, using: &generator) {
        case 0: plans[rank].steps[index].send?.after = []
        case 1: plans[rank].steps[index].receive?.after = []
        case 2: plans[rank].steps[index].receive?.after.append(.sent(other))
        case 3: plans[rank].steps[index].send?.after.append(.received(other))
        case 4: plans[rank].steps.swapAt(index, other)
        case 5: plans[rank].steps[index].receive?.action = .copy
        case 6: plans[rank].steps[index].send?.peer = peer
        case 7:
            plans[rank].steps[index].send?.source = Slice(.output, chunk: chunk, place)
        default: plans[rank].steps[index].receive = receive
        }
    }
}
