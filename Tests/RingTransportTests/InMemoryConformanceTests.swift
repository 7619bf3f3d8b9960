import RingTransport
import RingTransportTesting
import Testing

@Suite struct InMemoryConformanceTests {
    private static func suite(
        capacity: Int, largestFrame: Int = 3 << 20, cost: InMemoryNetwork.Cost? = nil
    ) -> TransportConformance {
        TransportConformance(largestFrame: largestFrame) { worldSize in
            let network = InMemoryNetwork(worldSize: worldSize, capacity: capacity, cost: cost)
            return (0..<worldSize).map { network.transport(for: $0) }
        }
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func withItsDefaults(_ testCase: TransportConformance.Case) throws {
        try Self.suite(capacity: 256 << 10).run(testCase)
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func withLittleRoomOfOddSize(_ testCase: TransportConformance.Case) throws {
        try Self.suite(capacity: 1021, largestFrame: 300_001).run(testCase)
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func withVirtualTime(_ testCase: TransportConformance.Case) throws {
        let cost = InMemoryNetwork.Cost(latency: .microseconds(20), bandwidth: 1e9)
        try Self.suite(capacity: 10_000, largestFrame: 300_001, cost: cost).run(testCase)
    }
}
