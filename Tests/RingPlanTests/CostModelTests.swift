import RingCore
import RingPlan
import Testing

/// The formula, held against the simulation that runs all ranks' plans.
@Suite struct CostModelTests {
    static let sizes = [4, 1 << 10, 64 << 10, 1 << 20, 64 << 20]

    static let algorithms = Planners.all.map { ($0.collective, $0.name) }

    static func query(_ collective: Collective, bytes: Int, _ topology: RankTopology) -> CostQuery {
        CostQuery(
            collective, elementCount: collective == .barrier ? 0 : bytes / 4, elementSize: 4,
            topology: topology)
    }

    @Test func printErrors() throws {
        let model = CostModel()
        for (collective, algorithm) in Self.algorithms {
            for (name, topology) in [
                ("uncrowded", { (n: Int) in RankTopology(worldSize: n, processors: n) }),
                ("crowded", { RankTopology(worldSize: $0, processors: 2) }),
                ("hosts", { RankTopology(worldSize: $0, ranksPerHost: 1, processors: 4) }),
                ("hosts of 4", { RankTopology(worldSize: $0, ranksPerHost: 4, processors: 4) }),
            ] {
                for n in [2, 3, 4, 7, 8, 16] {
                    var line = "\(collective.name) \(algorithm) \(name) n=\(n):"
                    for bytes in collective == .barrier ? [0] : Self.sizes {
                        let query = Self.query(collective, bytes: bytes, topology(n))
                        let simulated = try model.simulated(algorithm, query)
                        let predicted = model.predicted(algorithm, query) ?? 0
                        line += " \(Int(simulated * 1e7))|\((predicted / simulated * 100).rounded() / 100)"
                    }
                    print(line)
                }
            }
        }
    }
}
