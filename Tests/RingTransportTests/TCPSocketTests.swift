import RingCore
import RingSystem
import RingTransport
import Testing

@testable import RingTransportTCP

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What is set on the sockets of links, and how many there are.
@Suite struct TCPSocketTests {
    private static func withLink(
        _ options: TCPOptions = TCPRanks.loopback, channel: UInt16 = 0, hosts: [String] = ["here", "here"],
        _ body: (_ descriptors: [Int32]) throws -> Void
    ) throws {
        let transports = try hosts.enumerated().map { rank, host in
            try TCPRanks.transport(rank: rank, host: host, options)
        }
        defer { for transport in transports { transport.shutdown() } }
        for transport in transports { try transport.meet(transports.map(\.card)) }
        let ends = try connect(transports[0], transports[1], LinkIdentifier(channel: channel))
        try body([ends.low, ends.high].map { $0.prepareToWait(for: .receiving)!.fd })
    }

    private static func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32 {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        #expect(getsockopt(descriptor, level, name, &value, &length) == 0)
        return value
    }

    private static func congestionControl(_ descriptor: Int32) -> String {
        var name = [CChar](repeating: 0, count: 32)
        var length = socklen_t(name.count)
        // TCP_CONGESTION, which the module leaves out.
        #expect(getsockopt(descriptor, Int32(IPPROTO_TCP), 13, &name, &length) == 0)
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func fields(_ path: String) -> [String] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count], as: UTF8.self).split { $0 == " " || $0 == "\n" }.map(
            String.init)
    }

    private static let available = fields("/proc/sys/net/ipv4/tcp_available_congestion_control")
    private static let standard = fields("/proc/sys/net/ipv4/tcp_congestion_control").first ?? ""

    @Test(arguments: [0, LinkIdentifier.controlChannel])
    func sendsSmallPiecesAtOnce(_ channel: UInt16) throws {
        try Self.withLink(channel: channel) { descriptors in
            for descriptor in descriptors {
                #expect(Self.option(descriptor, Int32(IPPROTO_TCP), 1) != 0, "TCP_NODELAY")
                #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
                #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
            }
        }
    }

    @Test func controlLinksNoticeADeadHost() throws {
        try Self.withLink(channel: LinkIdentifier.controlChannel) { descriptors in
            for descriptor in descriptors { #expect(Self.option(descriptor, SOL_SOCKET, SO_KEEPALIVE) != 0) }
        }
    }

    @Test(.enabled(if: available.contains("cubic")))
    func ranksOfOneHostUseCubic() throws {
        try Self.withLink { descriptors in
            #expect(descriptors.map(Self.congestionControl) == ["cubic", "cubic"])
        }
    }

    @Test func congestionControlIsAsAsked() throws {
        let options = TCPRanks.options("127.0.0.1") { $0.congestionControl = "reno" }
        try Self.withLink(options) { descriptors in
            #expect(descriptors.map(Self.congestionControl) == ["reno", "reno"])
        }
    }

    /// Unless that is BBR: these two hosts are near each other.
    @Test func ranksOfTwoHostsUseTheSystems() throws {
        // Another host's loopback address would be refused, so this one pretends to be outside.
        guard let outside = try NetworkInterface.all().first(where: { !$0.isLoopback && !$0.address.isIPv6 })
        else {
            return
        }
        let options = TCPRanks.options(outside.address.hostText)
        try Self.withLink(options, hosts: ["here", "there"]) { descriptors in
            let isReplaced = Self.standard.hasPrefix("bbr") && Self.available.contains("cubic")
            let expected = isReplaced ? "cubic" : Self.standard
            #expect(descriptors.map(Self.congestionControl) == [expected, expected])
        }
    }

    @Test func buffersAreAsLargeAsAsked() throws {
        let options = TCPRanks.options("127.0.0.1") { $0.socketBufferSize = 40_000 }
        try Self.withLink(options) { descriptors in
            for descriptor in descriptors {
                // Linux doubles what is asked for, to have room for its own records.
                #expect(Self.option(descriptor, SOL_SOCKET, SO_SNDBUF) == 80_000)
                #expect(Self.option(descriptor, SOL_SOCKET, SO_RCVBUF) == 80_000)
            }
        }
    }

    @Test func channelsTakeTurnsOverTheAddresses() throws {
        let transports = try TCPRanks.met(2, TCPRanks.options("127.0.0.1", "127.0.0.2"))
        defer { for transport in transports { transport.shutdown() } }
        let ports = transports[0].ownCard.addresses.map(\.port)
        let first = try connect(transports[0], transports[1], LinkIdentifier(channel: 1))
        #expect(ports.map(TCPRanks.connectionCount(atPort:)) == [0, 1])
        let second = try connect(transports[0], transports[1], LinkIdentifier(channel: 2))
        #expect(ports.map(TCPRanks.connectionCount(atPort:)) == [1, 1])
        for link in [first.low, first.high, second.low, second.high] { link.close() }
    }

    @Test func onlyLinksThatWereAskedForAreMade() throws {
        let transports = try TCPRanks.met(4)
        defer { for transport in transports { transport.shutdown() } }
        let ports = transports.map(\.address.port)
        #expect(ports.map(TCPRanks.connectionCount(atPort:)) == [0, 0, 0, 0])
        let first = try connect(transports[1], transports[3], ranks: (1, 3))
        #expect(ports.map(TCPRanks.connectionCount(atPort:)) == [0, 1, 0, 0])
        let second = try connect(transports[0], transports[1])
        #expect(ports.map(TCPRanks.connectionCount(atPort:)) == [1, 1, 0, 0])
        for link in [first.low, first.high, second.low, second.high] { link.close() }
    }
}
