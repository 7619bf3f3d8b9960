import RingSystem
import RingTransport
import RingTransportRDMA
import RingTransportTesting
import Testing

/// The transport over software devices: what it does to them must be right as well, and nothing may be left over.
@Suite struct RDMAConformanceTests {
    private static func run(
        _ testCase: TransportConformance.Case, _ options: RDMAOptions, largestFrame: Int = 1 << 20,
        devices: [SoftwareFabric.Device] = [SoftwareFabric.plain]
    ) throws {
        let fabric = SoftwareFabric(devices: devices)
        try TransportConformance(largestFrame: largestFrame) {
            try RDMARanks($0, options, fabric: fabric).transports
        }.run(testCase)
        #expect(fabric.violations == [])
        #expect(RDMARanks.leftOver(on: fabric) == [:])
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func withItsDefaults(_ testCase: TransportConformance.Case) throws {
        try Self.run(testCase, RDMAOptions(), largestFrame: 3 << 20)
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func withFewSmallSlots(_ testCase: TransportConformance.Case) throws {
        try Self.run(testCase, RDMARanks.options(slotSize: 256, slotCount: 8), largestFrame: 300_001)
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func withoutInline(_ testCase: TransportConformance.Case) throws {
        var options = RDMARanks.options()
        options.inlineSize = 0
        try Self.run(testCase, options)
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func overSeveralDevices(_ testCase: TransportConformance.Case) throws {
        var options = RDMARanks.options()
        options.interfaces = ["soft0", "soft1"]
        let devices = [
            SoftwareFabric.plain,
            SoftwareFabric.Device(
                name: "soft1",
                addresses: [SocketAddress(host: [0xFD] + [UInt8](repeating: 0, count: 14) + [7], port: 0)]),
        ]
        try Self.run(testCase, options, devices: devices)
    }
}
