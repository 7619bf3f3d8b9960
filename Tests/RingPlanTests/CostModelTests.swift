import RingCore
import Testing

@testable import RingPlan

/// The formula, held against the simulation that runs all ranks' plans, and both against common sense.
@Suite struct CostModelTests {
    /// A collective with one of its algorithms.
    struct Way: CustomTestStringConvertible, Sendable {
        var collective: Collective
        var algorithm: String

        var testDescription: String { "\(collective.name) \(algorithm)" }
    }

    static let ways = Planners.all.map { Way(collective: $0.collective, algorithm: $0.name) }

    /// Hosts as ranks share them.
    enum Setting: CaseIterable {
        /// One host, a processor a rank.
        case roomy
        /// One host of two processors.
        case crowded
        /// A host a rank.
        case apart
        /// Four ranks a host.
        case fours

        func topology(_ ranks: Int) -> RankTopology {
            switch self {
            case .roomy: RankTopology(worldSize: ranks, processors: ranks)
            case .crowded: RankTopology(worldSize: ranks, processors: 2)
            case .apart: RankTopology(worldSize: ranks, ranksPerHost: 1, processors: 4)
            case .fours: RankTopology(worldSize: ranks, ranksPerHost: 4, processors: 4)
            }
        }
    }

    static func query(_ collective: Collective, bytes: Int, _ topology: RankTopology) -> CostQuery {
        var count = collective == .barrier ? 0 : bytes / 4
        // Whole blocks.
        if collective == .allToAll {
            let blocks = topology.worldSize * topology.worldSize
            count = (count + blocks - 1) / blocks * blocks
        }
        return CostQuery(collective, elementCount: count, elementSize: 4, topology: topology)
    }

    static let sizes = [4, 1 << 10, 64 << 10, 1 << 20, 16 << 20]

    @Test(arguments: ways, Setting.allCases)
    func theFormulaIsNearTheSimulation(_ way: Way, _ setting: Setting) throws {
        let model = CostModel()
        var (least, most) = (Double.infinity, 0.0)
        var report = ""
        for ranks in 2...16 {
            for bytes in way.collective == .barrier ? [0] : Self.sizes {
                let query = Self.query(way.collective, bytes: bytes, setting.topology(ranks))
                let simulated = try model.simulated(way.algorithm, query)
                let predicted = try #require(model.predicted(way.algorithm, query))
                let ratio = predicted / simulated
                (least, most) = (min(least, ratio), max(most, ratio))
                report += " \(ranks)/\(bytes): \((ratio * 100).rounded() / 100)"
            }
        }
        // Where threads take turns, much depends on whose turn it happens to be.
        let (low, high) = setting == .roomy ? (0.5, 2) : (0.4, 2.5)
        #expect(least > low && most < high, "\(least) to \(most):\(report)")
    }

    @Test(arguments: ways) func outlinesCountWhatPlansSend(_ way: Way) throws {
        for ranks in [2, 3, 4, 5, 8, 13, 16] {
            for bytes in way.collective == .barrier ? [0] : [4 * ranks * ranks, 1 << 20] {
                let query = Self.query(way.collective, bytes: bytes, Setting.roomy.topology(ranks))
                let outline = try #require(AlgorithmOutline.outline(way.algorithm, query))
                let traffic = try Simulator.measure(worldSize: ranks) { rank in
                    try Planners.plan(query.planRequest(rank: rank), algorithm: way.algorithm)
                }
                let what = "\(ranks) ranks, \(bytes) bytes"
                let total = Double(traffic.elementsSent.reduce(0, +) * 4)
                #expect(
                    abs(outline.totalBytes - total) <= 0.15 * total + 64,
                    "\(what): \(outline.totalBytes), \(total)")
                let busiest = Double((traffic.elementsSent.max() ?? 0) * 4)
                #expect(outline.bytesSent <= 1.35 * busiest + 64, "\(what): \(outline.bytesSent), \(busiest)")
                #expect(
                    outline.steps <= traffic.criticalPath + 1,
                    "\(what): \(outline.steps), \(traffic.criticalPath)")
            }
        }
    }

    @Test(arguments: ways) func moreBytesTakeLonger(_ way: Way) throws {
        guard way.collective != .barrier else { return }
        let model = CostModel()
        for setting in Setting.allCases {
            for ranks in [2, 5, 8, 64] {
                var last = 0.0
                for bytes in [4096, 1 << 16, 1 << 20, 1 << 24, 1 << 28] {
                    let query = Self.query(way.collective, bytes: bytes * ranks, setting.topology(ranks))
                    let time = try #require(model.predicted(way.algorithm, query))
                    #expect(time > last)
                    last = time
                }
            }
        }
    }

    @Test(arguments: ways) func dearerLinksTakeLonger(_ way: Way) throws {
        for (name, path) in CostParameters.fields where name != "grain" {
            var dear = CostParameters.standard
            dear[keyPath: path] *= name.hasSuffix("bandwidth") ? 0.25 : 4
            for setting in Setting.allCases {
                let query = Self.query(way.collective, bytes: 1 << 18, setting.topology(8))
                let cheap = try #require(CostModel().predicted(way.algorithm, query))
                #expect(try #require(CostModel(dear).predicted(way.algorithm, query)) >= cheap, "\(name)")
            }
        }
    }

    @Test func oneMessageTakesWhatItsPartsTake() throws {
        let costs = CostParameters(
            sameHost: LinkCost(latency: 3, perMessage: 1, perByte: 0.5),
            betweenHosts: LinkCost(latency: 10, perMessage: 2, perByte: 0.25, bandwidth: 4),
            reducePerByte: 0.125, copyPerByte: 1, perOperation: 7, perSwitch: 100, perWake: 100, grain: 65_536
        )
        let model = CostModel(costs)
        let near = RankTopology(worldSize: 2, processors: 2)
        let far = RankTopology(worldSize: 2, ranksPerHost: 1, processors: 2)
        // Call, send, way, receive.
        #expect(try model.simulated("dissemination", Self.query(.barrier, bytes: 0, near)) == 7 + 1 + 3 + 1)
        #expect(try model.simulated("dissemination", Self.query(.barrier, bytes: 0, far)) == 7 + 2 + 10 + 2)
        // Eight bytes: copied, sent through a network of four bytes a second, copied and reduced.
        let reduce = Self.query(.reduce, bytes: 8, far)
        let (sending, way, receiving): (Double, Double, Double) = (2 + 2, 2 + 10, 2 + 2 + 1)
        let expected = 7 + sending + way + receiving
        #expect(try model.simulated("binomial-tree", reduce) == expected)
        #expect(model.predicted("binomial-tree", reduce) == expected)
        let single = RankTopology(worldSize: 1, processors: 1)
        #expect(model.predicted("ring", Self.query(.allReduce, bytes: 8, single)) == 7)
        #expect(try model.simulated("ring", Self.query(.allReduce, bytes: 8, single)) == 7)
    }

    @Test func processorsAreShared() throws {
        // Twice as many processors than ranks gain nothing; half as many take twice as long for large sizes.
        let model = CostModel()
        func time(_ processors: Int) throws -> Double {
            try model.simulated(
                "ring",
                Self.query(.allReduce, bytes: 64 << 20, RankTopology(worldSize: 8, processors: processors)))
        }
        let roomy = try time(8)
        #expect(try time(16) == roomy)
        let ratio = try time(4) / roomy
        #expect(ratio > 1.8 && ratio < 2.3)
    }

    @Test func unknownAlgorithmsHaveNoPrediction() {
        let query = Self.query(.allReduce, bytes: 1024, Setting.roomy.topology(4))
        #expect(CostModel().predicted("carrier-pigeon", query) == nil)
        #expect(throws: CollectiveError.self) { try CostModel().simulated("carrier-pigeon", query) }
        #expect(
            AlgorithmOutline.outline("ring", Self.query(.sendReceive, bytes: 8, Setting.roomy.topology(2)))
                == nil)
    }

    @Test func thousandsOfRanksAreSimulated() throws {
        // A logarithm of steps, each of the same time.
        let model = CostModel()
        func time(_ ranks: Int) throws -> Double {
            try model.simulated(
                "recursive-doubling",
                Self.query(
                    .allReduce, bytes: 4, RankTopology(worldSize: ranks, ranksPerHost: 1, processors: 1)))
        }
        let (small, large) = (try time(32), try time(1024))
        #expect(abs(large / small - 2) < 0.05)
    }
}
