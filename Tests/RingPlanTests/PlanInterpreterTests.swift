import RingCore
import RingPlan
import Testing

/// Planners run on numbers in random orders: what the simulator proves is what happens.
@Suite struct PlanInterpreterTests {
    struct Case: CustomTestStringConvertible {
        var collective: Collective
        var algorithm: String
        var testDescription: String { "\(collective.name) by \(algorithm)" }
    }

    static let cases = Planners.all.filter { $0.collective != .barrier }.map {
        Case(collective: $0.collective, algorithm: $0.name)
    }

    @Test(arguments: cases, 1...6) func outputs(of test: Case, worldSize: Int) throws {
        for count in [0, 1, worldSize, 2 * worldSize + 1] {
            let roots: [Rank?] = test.collective == .broadcast ? Array(0..<worldSize) : [nil]
            for root in roots {
                for isInPlace in [true, false] {
                    let plans = try plans(
                        test.collective, by: test.algorithm, worldSize: worldSize, elementCount: count,
                        root: root,
                        isInPlace: isInPlace, chunkCount: 3)
                    let inputs = (0..<worldSize).map { rank in
                        contribution(of: rank, root: root, plan: plans[rank])
                    }
                    for seed in 0..<3 as Range<UInt64> {
                        var interpreter = PlanInterpreter(plans, contributions: inputs, seed: seed)
                        let result = interpreter.run()
                        let outputs = try #require(result)
                        for (rank, plan) in plans.enumerated() {
                            check(outputs[rank], of: plan, count: count)
                        }
                    }
                }
            }
        }
    }

    private func value(_ rank: Rank, _ element: Int) -> Int { 1 << (4 * rank) + 1_000_000_000 * element }

    private func contribution(of rank: Rank, root: Rank?, plan: Plan) -> [Int] {
        switch plan.collective {
        case .allGather: plan.share(of: rank).map { value(rank, $0) }
        case .broadcast where rank != root: []
        default: (0..<plan.elementCount).map { value(rank, $0) }
        }
    }

    private func check(_ output: [Int], of plan: Plan, count: Int) {
        let sign = plan.worldSize == 1 ? 1 : -1
        let reduced = { (element: Int) in sign * (0..<plan.worldSize).map { value($0, element) }.reduce(0, +)
        }
        switch plan.collective {
        case .allReduce:
            #expect(output == (0..<count).map(reduced))
        case .reduceScatter:
            let share = plan.share(of: plan.rank)
            #expect(Array(plan.isInPlace ? output[share] : output[...]) == share.map(reduced))
        case .allGather:
            let expected = (0..<plan.worldSize).flatMap { rank in plan.share(of: rank).map { value(rank, $0) }
            }
            #expect(output == expected)
        default:
            #expect(output == (0..<count).map { value(plan.root ?? 0, $0) })
        }
    }
}
