import Benchmark
import RingCore
import RingPlan

/// How long a plan takes, which a communicator makes once for each kind of call: every algorithm for all-reduce.
func registerPlanning() {
    for worldSize in [2, 8, 64, 512] {
        let request = PlanRequest(
            .allReduce, worldSize: worldSize, rank: worldSize / 2, elementCount: 1 << 20, isInPlace: true)
        for algorithm in Planners.names(for: .allReduce) {
            // Not every algorithm is for every number of ranks.
            guard (try? Planners.plan(request, algorithm: algorithm)) != nil else { continue }
            Benchmark(
                "plan, all-reduce \(algorithm), \(worldSize) ranks",
                configuration: .init(metrics: [.throughput, .wallClock], maxDuration: .milliseconds(300))
            ) { benchmark in
                blackHole(try Planners.plan(request, algorithm: algorithm))
            }
        }
    }
}
