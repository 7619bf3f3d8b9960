import Foundation
import Logging
import RingCore
import RingSystem
import RingTransport
import RingTransportRDMA
import RingTransportTesting
import Testing

/// The transport over the RDMA device that this machine has. They run where `RING_TEST_RDMA` says that it has one.
@Suite(.serialized, .enabled(if: ProcessEnvironment.variables["RING_TEST_RDMA"] != nil))
struct RDMARealDeviceTests {
    private static func transports(_ worldSize: Int, _ options: RDMAOptions) throws -> [RDMATransport] {
        let verbs = try #require(BuiltVerbs.system)
        let transports = try (0..<worldSize).map { rank in
            try RDMATransport(
                rank: rank, worldSize: worldSize, host: "here", options: options, authenticator: KeyedSum(),
                verbs: verbs, interfaces: try NetworkInterface.all(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
        for transport in transports { try transport.meet(transports.map(\.card)) }
        return transports
    }

    /// An address of each family that leads to a device.
    private static func address(isIPv6: Bool) throws -> String {
        let addresses = try NetworkInterface.all().filter {
            !$0.isLoopback && $0.address.isIPv6 == isIPv6 && $0.address.scope == 0
        }.map(\.address)
        for address in addresses {
            var options = RDMAOptions()
            options.interfaces = [address.hostText]
            guard let transports = try? transports(1, options) else { continue }
            transports[0].shutdown()
            return address.hostText
        }
        throw CollectiveError(.unsupported, "no address of that family leads to an RDMA device")
    }

    @Test func aDeviceIsActive() throws {
        let devices = try #require(BuiltVerbs.system).devices()
        #expect(devices.contains { $0.ports.contains(where: \.isActive) })
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func overIPv4(_ testCase: TransportConformance.Case) throws {
        var options = RDMAOptions()
        options.interfaces = [try Self.address(isIPv6: false)]
        try TransportConformance(largestFrame: 1 << 20, limit: .seconds(120)) { [options] in
            try Self.transports($0, options)
        }.run(testCase)
    }

    @Test(arguments: TransportConformance.Case.allCases)
    func overIPv6WithSmallRings(_ testCase: TransportConformance.Case) throws {
        var options = RDMAOptions()
        options.interfaces = [try Self.address(isIPv6: true)]
        (options.slotSize, options.slotCount) = (1024, 16)
        try TransportConformance(largestFrame: 300_001, limit: .seconds(120)) { [options] in
            try Self.transports($0, options)
        }.run(testCase)
    }

    /// What the kernel says that there is, summed over all devices.
    private static func resources() throws -> [String: Int] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["rdma", "resource", "show"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        // A line a device: `0: rxe0: pd 1 cq 1 qp 1 cm_id 0 mr 0 ctx 0 srq 2`.
        var counts: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").dropFirst(2)
            for (name, number) in zip(words, words.dropFirst()) {
                if let number = Int(number) { counts[String(name), default: 0] += number }
            }
        }
        return counts
    }

    /// Two transports that connect, exchange a frame and close so often.
    private static func connectAndClose(_ times: Int) throws {
        // What matters is how many, not how large they are.
        var options = RDMAOptions()
        (options.slotSize, options.slotCount) = (256, 16)
        let transports = try transports(2, options)
        for round in 0..<times {
            let (low, high) = try connect(
                transports[0], transports[1], LinkIdentifier(epoch: UInt32(round), channel: 0))
            try RDMAFrames.send(100, over: low, to: high, until: .after(.seconds(60)))
            low.close()
        }
        for transport in transports { transport.shutdown() }
    }

    /// What is made is gone afterwards, by the kernel's own count.
    @Test func connectsAndClosesAThousandTimes() throws {
        // What the connection manager keeps for the process's life is not what is counted.
        try Self.connectAndClose(1)
        let before = try Self.resources()
        try #require(before["qp"] != nil)
        try Self.connectAndClose(1000)
        let deadline = Deadline.after(.seconds(60))
        while try Self.resources() != before, !deadline.hasPassed { usleep(100_000) }
        #expect(try Self.resources() == before)
    }
}
