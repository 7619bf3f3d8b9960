import RingSystem
import RingTransportRDMA

/// The answer of `ringbench devices`.
struct DevicesReport {
    let survey: DeviceSurvey

    /// For people: a line an address, then what is to be said about it.
    var table: String {
        var text = ""
        if !survey.devices.isEmpty {
            var rows = [
                [
                    "device", "port", "state", "link layer", "MTU", "max MTU", "GID", "address", "type",
                    "interface",
                ]
            ]
            for device in survey.devices {
                for port in device.ports { rows += self.rows(port, of: device) }
            }
            text = TextColumns.text(rows)
        }
        return (text + "# \(survey.summary)\n# \(autoText)")
    }

    /// What `auto` does, in a line.
    private var autoText: String {
        switch survey.choice {
        case .rdma(let places):
            "auto: rdma over \(places.map(\.text).joined(separator: ", ")), if every rank has a device; else tcp"
        case .tcp(let reason): "auto: tcp, since \(reason)"
        }
    }

    /// A port's lines: the first has what is the same for all its addresses.
    private func rows(_ port: VerbsPort, of device: VerbsDevice) -> [[String]] {
        let head = [
            device.name, "\(port.number)", port.stateText, port.linkLayer.rawValue, "\(port.activeMTU)",
            "\(port.maximumMTU)",
        ]
        if port.gids.isEmpty { return [head + ["-", "-", "-", "-"]] }
        let blank = [String](repeating: "", count: head.count)
        return port.gids.enumerated().map { position, gid in
            (position == 0 ? head : blank)
                + ["\(gid.index)", gid.text, gid.type, survey.interface(of: gid) ?? "-"]
        }
    }

    /// For programs: one object.
    var json: String {
        let lines = survey.devices.flatMap { device in device.ports.map { line($0, of: device) } }
        let tail: [(String, JSONValue)]
        switch survey.choice {
        case .rdma(let places):
            tail = [
                ("auto", .string("rdma")),
                ("reason", .string(places.map(\.text).joined(separator: ", "))),
            ]
        case .tcp(let reason): tail = [("auto", .string("tcp")), ("reason", .string(reason))]
        }
        return "{\"ports\": [\n\(lines.joined(separator: ",\n"))\n], "
            + JSONValue.members([("summary", .string(survey.summary))] + tail) + "}"
    }

    private func line(_ port: VerbsPort, of device: VerbsDevice) -> String {
        let head = JSONValue.members([
            ("device", .string(device.name)), ("port", .integer(Int(port.number))),
            ("state", .string(port.stateText)), ("link_layer", .string(port.linkLayer.rawValue)),
            ("active_mtu", .integer(port.activeMTU)), ("max_mtu", .integer(port.maximumMTU)),
        ])
        let gids = port.gids.map { gid in
            JSONValue.object([
                ("index", .integer(gid.index)), ("address", .string(gid.text)), ("type", .string(gid.type)),
                ("interface", .string(survey.interface(of: gid) ?? "")),
            ])
        }
        return "    {\(head), \"gids\": [\(gids.joined(separator: ", "))]}"
    }
}
