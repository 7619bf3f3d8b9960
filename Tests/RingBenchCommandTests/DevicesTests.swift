import Foundation
import RingSystem
import RingTransportRDMA
import RingTransportTesting
import Testing

@testable import RingBenchCommand

/// `ringbench devices`.
@Suite struct DevicesTests {
    private static func gid(_ index: Int, _ address: String) throws -> VerbsGID {
        let host = try #require(SocketAddress(numericHost: address, port: 0)).host
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        return VerbsGID(index: index, bytes: host.count == 4 ? mapped + host : host, type: "RoCE v2")
    }

    private static func survey(_ choice: DeviceSurvey.Choice) throws -> DeviceSurvey {
        let ethernet = VerbsPort(
            number: 1, state: 4, linkLayer: .ethernet, activeMTU: 1024, maximumMTU: 4096,
            gids: [try gid(0, "fe80::1"), try gid(3, "10.0.0.7")])
        let infiniBand = VerbsPort(
            number: 2, state: 2, linkLayer: .infiniBand, activeMTU: 4096, maximumMTU: 4096)
        let address = try #require(SocketAddress(numericHost: "10.0.0.7", port: 0))
        return DeviceSurvey(
            devices: [
                VerbsDevice(name: "rxe0", ports: [ethernet]),
                VerbsDevice(name: "mlx5_0", ports: [infiniBand]),
            ],
            summary: "2 RDMA devices, 1 of 2 ports active", choice: choice,
            interfaces: [NetworkInterface(name: "eth0", address: address, isLoopback: false)])
    }

    private static func rdma() throws -> DeviceSurvey.Choice {
        let address = try #require(SocketAddress(numericHost: "10.0.0.7", port: 29500))
        return .rdma([RDMAPlace(device: "rxe0:1", address: address)])
    }

    @Test func everyPortAndAddressHasALine() throws {
        let lines = DevicesReport(survey: try Self.survey(try Self.rdma())).table.split(separator: "\n")
        let words = lines.map { $0.split(separator: " ").map(String.init) }
        #expect(
            words.dropFirst().prefix(3) == [
                ["rxe0", "1", "active", "Ethernet", "1024", "4096", "0", "fe80::1", "RoCE", "v2", "-"],
                ["3", "10.0.0.7", "RoCE", "v2", "eth0"],
                ["mlx5_0", "2", "initializing", "InfiniBand", "4096", "4096", "-", "-", "-", "-"],
            ])
        #expect(
            lines.suffix(2) == [
                "# 2 RDMA devices, 1 of 2 ports active",
                "# auto: rdma over rxe0:1 (10.0.0.7), if every rank has a device; else tcp",
            ])
    }

    @Test func withoutADeviceItSaysWhy() {
        let survey = DeviceSurvey(
            devices: [], summary: "no RDMA device", choice: .tcp("there is no RDMA device"), interfaces: [])
        #expect(
            DevicesReport(survey: survey).table
                == "# no RDMA device\n# auto: tcp, since there is no RDMA device")
    }

    @Test func programsGetOneObject() throws {
        let text = DevicesReport(survey: try Self.survey(try Self.rdma())).json
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["auto"] as? String == "rdma" && object["reason"] as? String == "rxe0:1 (10.0.0.7)")
        let ports = try #require(object["ports"] as? [[String: Any]])
        #expect(ports.map { $0["device"] as? String } == ["rxe0", "mlx5_0"])
        #expect(ports.map { $0["state"] as? String } == ["active", "initializing"])
        let gids = try #require(ports[0]["gids"] as? [[String: Any]])
        #expect(gids.map { $0["index"] as? Int } == [0, 3])
        #expect(gids.map { $0["address"] as? String } == ["fe80::1", "10.0.0.7"])
        #expect(gids.map { $0["interface"] as? String } == ["", "eth0"])
    }

    private static func survey(
        _ verbs: SoftwareVerbs, on fabric: SoftwareFabric, device: String? = nil
    ) -> DeviceSurvey {
        var options = RDMAOptions()
        options.device = device
        return DeviceSurvey(verbs: verbs, options: options, interfaces: fabric.interfaces)
    }

    @Test func itTellsWhereAJobWouldListenAndLeavesNothing() throws {
        let fabric = SoftwareFabric()
        let survey = Self.survey(fabric.verbs(), on: fabric)
        guard case .rdma(let places) = survey.choice else { return #expect(Bool(false), "\(survey.choice)") }
        #expect(places.count == 1 && survey.devices.map(\.name).contains { places[0].device.hasPrefix($0) })
        #expect(fabric.liveObjects().isEmpty)
    }

    @Test func whatIsInTheWayIsSaid() {
        let fabric = SoftwareFabric()
        let verbs = fabric.verbs()
        let other = Self.survey(verbs, on: fabric, device: "mlx5_9")
        guard case .tcp(let reason) = other.choice else { return #expect(Bool(false), "\(other.choice)") }
        #expect(reason.contains("it belongs to the RDMA device"))
        verbs.fail(.createEventChannel, with: EACCES)
        let denied = Self.survey(verbs, on: fabric)
        guard case .tcp(let reason) = denied.choice else { return #expect(Bool(false), "\(denied.choice)") }
        #expect(reason.contains("/dev/infiniband"))
        verbs.fail(.devices, with: EACCES)
        #expect(Self.survey(verbs, on: fabric).summary.contains("cannot be looked at: devices"))
        #expect(fabric.liveObjects().isEmpty)
    }

    /// Whatever this host has, there is an answer.
    @Test(arguments: ["devices", "devices --format json"])
    func thisHostHasAnAnswer(_ line: String) throws {
        guard case .print(let text) = CommandLineStep(arguments: line.split(separator: " ").map(String.init))
        else { return #expect(Bool(false), "\(line) was refused") }
        #expect(text.contains("auto"))
    }

    @Test func aTableOfCSVIsRefused() throws {
        guard case .refuse(let message) = CommandLineStep(arguments: ["devices", "--format", "csv"])
        else { return #expect(Bool(false), "it was not refused") }
        #expect(message.contains("use table or json"))
    }
}
