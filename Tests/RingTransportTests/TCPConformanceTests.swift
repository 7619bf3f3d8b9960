import RingTransport
import RingTransportTCP
import RingTransportTesting
import Testing

@Suite struct TCPConformanceTests {
    private static func suite(_ options: TCPOptions, largestFrame: Int = 3 << 20) -> TransportConformance {
        TransportConformance(largestFrame: largestFrame) { try TCPRanks.met($0, options) }
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func overIPv4(_ testCase: TransportConformance.Case) throws {
        try Self.suite(TCPRanks.options("127.0.0.1")).run(testCase)
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func overIPv6(_ testCase: TransportConformance.Case) throws {
        try Self.suite(TCPRanks.options("::1"), largestFrame: 1 << 20).run(testCase)
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func overSeveralAddresses(_ testCase: TransportConformance.Case) throws {
        try Self.suite(TCPRanks.options("127.0.0.1", "::1", "127.0.0.2"), largestFrame: 1 << 20).run(testCase)
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func withSmallBuffersAndPieces(_ testCase: TransportConformance.Case) throws {
        let options = TCPRanks.options("127.0.0.1") {
            $0.socketBufferSize = 64 << 10
            $0.pieceSize = 1001
        }
        try Self.suite(options, largestFrame: 300_001).run(testCase)
    }
}
