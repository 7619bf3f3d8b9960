import RingCore
import RingPlan
import Testing

/// Planners run on numbers in random orders: what the simulator proves is what happens.
@Suite struct PlanInterpreterTests {
    static let cases = Planners.all.filter { $0.collective != .barrier }.map { PlannerName($0) }

    @Test(arguments: cases, 1...6) func outputs(of planner: PlannerName, worldSize: Int) throws {
        for count in telling(planner.collective, worldSize) {
            for root in roots(planner.collective, worldSize) {
                for isInPlace in [true, false] {
                    try run(
                        plans(
                            planner.collective, by: planner.name, worldSize: worldSize, elementCount: count,
                            root: root, isInPlace: isInPlace, chunkCount: 3))
                }
            }
        }
    }

    /// Shares and blocks that differ in size.
    @Test(arguments: cases, 1...6) func outputsWithCounts(of planner: PlannerName, worldSize: Int) throws {
        let blocks = planner.collective == .allToAll ? worldSize * worldSize : worldSize
        let counts = (0..<blocks).map { $0 * 5 % 4 }
        for root in roots(planner.collective, worldSize) {
            for isInPlace in [true, false] {
                let request = PlanRequest(
                    planner.collective, worldSize: worldSize, rank: 0, elementCount: counts.reduce(0, +),
                    counts: counts, root: root, isInPlace: isInPlace)
                guard (try? request.validate()) != nil,
                    Planners.candidates(for: request).contains(planner.name)
                else { continue }
                try run(
                    plans(
                        planner.collective, by: planner.name, worldSize: worldSize,
                        elementCount: request.elementCount, counts: counts, root: root, isInPlace: isInPlace))
            }
        }
    }

    private func run(_ plans: [Plan]) throws {
        let inputs = plans.map(contribution)
        for seed in 0..<3 as Range<UInt64> {
            var interpreter = PlanInterpreter(plans, contributions: inputs, seed: seed)
            let result = interpreter.run()
            let outputs = try #require(result)
            for (rank, plan) in plans.enumerated() { check(outputs[rank], of: plan) }
        }
    }

    private func value(_ rank: Rank, _ element: Int) -> Int { 1 << (4 * rank) + 1_000_000_000 * element }

    private func contribution(_ plan: Plan) -> [Int] {
        switch plan.collective {
        case .allGather, .gather: plan.share(of: plan.rank).map { value(plan.rank, $0) }
        case .broadcast where plan.rank != plan.root, .scatter where plan.rank != plan.root: []
        case .allToAll: plan.row.map { value(plan.rank, $0) }
        default: (0..<plan.elementCount).map { value(plan.rank, $0) }
        }
    }

    private func check(_ output: [Int], of plan: Plan) {
        let all = 0..<plan.elementCount
        let ranks = 0..<plan.worldSize
        let sign = plan.worldSize == 1 ? 1 : -1
        let reduced = { (element: Int) in sign * ranks.map { value($0, element) }.reduce(0, +) }
        let gathered = { ranks.flatMap { rank in plan.share(of: rank).map { value(rank, $0) } } }
        let share = { plan.share(of: plan.rank) }
        let ownShare = { Array(plan.isInPlace ? output[share()] : output[...]) }
        switch plan.collective {
        case .allReduce:
            #expect(output == all.map(reduced))
        case .reduce where plan.rank == plan.root:
            #expect(output == all.map(reduced))
        case .reduce:
            #expect(output == (plan.isInPlace ? contribution(plan) : []))
        case .reduceScatter:
            #expect(ownShare() == share().map(reduced))
        case .allGather:
            #expect(output == gathered())
        case .gather:
            if plan.rank == plan.root { #expect(output == gathered()) }
        case .scatter:
            #expect(ownShare() == share().map { value(plan.root ?? 0, $0) })
        case .allToAll:
            let column = ranks.flatMap { from in
                plan.parts[from * plan.worldSize + plan.rank].map { value(from, $0) }
            }
            #expect(output == column)
        default:
            #expect(output == all.map { value(plan.root ?? 0, $0) })
        }
    }
}
