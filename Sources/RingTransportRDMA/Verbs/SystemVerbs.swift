#if RDMA
    import CRingVerbs
    package import RingSystem

    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #endif

    /// The system's RDMA libraries.
    package final class SystemVerbs: Verbs {
        package init() {}

        /// Runs a call that returns an error's number.
        static func check(_ name: String, _ status: Int32) throws(SystemError) {
            if status != 0 { throw SystemError(name, status) }
        }

        // MARK: Devices

        package func devices() throws(SystemError) -> [VerbsDevice] {
            guard ring_has_devices() != 0 else { return [] }
            var (count, list): (Int32, UnsafeMutableRawPointer?) = (0, nil)
            try Self.check("ibv_get_device_list", ring_devices_list(&count, &list))
            defer { ring_devices_free(list) }
            var devices: [VerbsDevice] = []
            for index in 0..<count {
                var device: UnsafeMutableRawPointer?
                try Self.check("ibv_open_device", ring_device_open(list, index, &device))
                defer { ring_device_close(device) }
                devices.append(
                    VerbsDevice(
                        name: String(cString: ring_devices_name(list, index)),
                        ports: try ports(of: VerbsHandle(device!))))
            }
            return devices
        }

        private func ports(of device: VerbsHandle) throws(SystemError) -> [VerbsPort] {
            var count: UInt8 = 0
            try Self.check("ibv_query_device", ring_device_port_count(device.pointer, &count))
            var ports: [VerbsPort] = []
            guard count > 0 else { return [] }
            for number in 1...count {
                var (port, gidCount) = try describe(number, of: device)
                for index in 0..<gidCount {
                    var gid = ring_gid()
                    // Most places of the table are empty.
                    guard ring_gid_query(device.pointer, number, index, &gid) == 0 else { continue }
                    let type = ["InfiniBand", "RoCE v1", "RoCE v2"]
                    port.gids.append(
                        VerbsGID(
                            index: Int(index), bytes: withUnsafeBytes(of: gid.bytes) { Array($0) },
                            type: Int(gid.type) < type.count ? type[Int(gid.type)] : "type \(gid.type)"))
                }
                ports.append(port)
            }
            return ports
        }

        package func port(_ number: UInt8, of device: VerbsHandle) throws(SystemError) -> VerbsPort {
            try describe(number, of: device).port
        }

        private func describe(
            _ number: UInt8, of device: VerbsHandle
        ) throws(SystemError) -> (port: VerbsPort, gidCount: Int32) {
            var port = ring_port()
            try Self.check("ibv_query_port", ring_port_query(device.pointer, number, &port))
            return (
                VerbsPort(
                    number: number, state: port.state,
                    linkLayer: port.link_layer == 2 ? .ethernet : .infiniBand,
                    activeMTU: Int(port.active_mtu), maximumMTU: Int(port.max_mtu)),
                port.gid_count
            )
        }

        package func name(of device: VerbsHandle) -> String {
            String(cString: ring_device_name(device.pointer))
        }
    }

    extension VerbsHandle {
        init(_ pointer: UnsafeMutableRawPointer) {
            self.init(bits: UInt(bitPattern: pointer))
        }

        var pointer: UnsafeMutableRawPointer { UnsafeMutableRawPointer(bitPattern: bits)! }
    }
#endif
