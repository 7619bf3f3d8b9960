import RingCore
import RingSystem
import RingTransportRDMA

/// What this host has for RDMA.
struct DeviceSurvey: Sendable {
    /// What `auto` chooses, as far as this host has a say.
    enum Choice: Hashable, Sendable {
        case rdma([RDMAPlace])
        /// TCP, for this reason.
        case tcp(String)
    }

    /// The devices; none where they cannot be listed, as `summary` says then.
    var devices: [VerbsDevice]
    /// How many there are, or why none can be shown, and what to do.
    var summary: String
    var choice: Choice
    /// The host's interfaces, to find the name of a GID's by its address.
    var interfaces: [NetworkInterface]

    /// Asks the system, as a job in this environment would.
    static func ofThisHost(environment: [String: String]) throws -> DeviceSurvey {
        guard let verbs = BuiltVerbs.system else {
            return DeviceSurvey(
                devices: [],
                summary: "this program was built without the package's trait RDMA, which is on by default",
                choice: .tcp("there is no RDMA in this build"), interfaces: [])
        }
        func setting(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        var options = RDMAOptions()
        options.interfaces = (setting("RING_INTERFACE") ?? "").split(separator: ",").map(String.init)
        options.device = setting("RING_RDMA_DEVICE")
        return DeviceSurvey(verbs: verbs, options: options, interfaces: try NetworkInterface.all())
    }

    /// The interface that has a GID's address; nil if none that is up.
    func interface(of gid: VerbsGID) -> String? {
        interfaces.first { $0.address.host == gid.host }?.name
    }
}

extension DeviceSurvey {
    /// Asks the system by calls of `verbs`.
    init(verbs: any Verbs, options: RDMAOptions, interfaces: [NetworkInterface]) {
        self.interfaces = interfaces
        do {
            devices = try verbs.devices()
        } catch {
            devices = []
            summary = "the RDMA devices cannot be looked at: \(error)"
            choice = .tcp("there is no RDMA device to use")
            return
        }
        guard !devices.isEmpty else {
            summary = "no RDMA device: is there one, is its driver loaded, and ib_uverbs?"
            choice = .tcp("there is no RDMA device")
            return
        }
        let ports = devices.flatMap(\.ports)
        summary =
            "\(devices.count) RDMA device\(devices.count == 1 ? "" : "s"), "
            + "\(ports.count(where: \.isActive)) of \(ports.count) ports active"
        do {
            choice = .rdma(try RDMAPlace.all(options: options, verbs: verbs, interfaces: interfaces))
        } catch { choice = .tcp((error as? CollectiveError)?.message ?? "\(error)") }
    }
}

extension RDMAPlace {
    /// As people are told: `mlx5_0:1 (10.0.0.1)`.
    var text: String { "\(device) (\(address.hostText))" }
}

extension VerbsGID {
    /// The IP address that it is made of: 4 bytes, or all 16.
    var host: [UInt8] {
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF]
        return bytes.starts(with: mapped) ? Array(bytes.dropFirst(mapped.count)) : bytes
    }

    /// The address as people write it.
    var text: String { SocketAddress(host: host, port: 0).hostText }
}
