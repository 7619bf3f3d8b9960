import RingCore
import RingTransport
import Testing

@testable import RingSystem
@testable import RingTransportTCP

@Suite struct TCPListeningTests {
    private static let interfaces = [
        NetworkInterface(
            name: "lo", address: SocketAddress(host: [127, 0, 0, 1], port: 0), isLoopback: true),
        NetworkInterface(
            name: "lo", address: SocketAddress(host: [UInt8](repeating: 0, count: 15) + [1], port: 0),
            isLoopback: true),
        NetworkInterface(name: "ib0", address: address("fe80::5", scope: 3), isLoopback: false),
        NetworkInterface(name: "ib0", address: address("fd00::5"), isLoopback: false),
        NetworkInterface(name: "eth0", address: address("fd01::7"), isLoopback: false),
        NetworkInterface(name: "eth0", address: address("10.1.2.3"), isLoopback: false),
        NetworkInterface(name: "eth1", address: address("10.9.0.1"), isLoopback: false),
        NetworkInterface(name: "eth10", address: address("172.16.0.1"), isLoopback: false),
    ]

    private static func address(_ text: String, scope: UInt32 = 0) -> SocketAddress {
        SocketAddress(host: AddressRange.bytes(ofNumeric: text)!, port: 0, scope: scope)
    }

    private static func choice(_ text: String) throws -> String {
        try InterfaceSelection.address(matching: text, among: interfaces, rank: 3).hostText
    }

    @Test(arguments: [
        // By name: IPv4 before IPv6, link-local last.
        ("lo", "127.0.0.1"), ("eth0", "10.1.2.3"), ("eth1", "10.9.0.1"), ("eth10", "172.16.0.1"),
        ("ib0", "fd00::5"),
        // By range.
        ("10.9.0.0/16", "10.9.0.1"), ("10.0.0.0/8", "10.1.2.3"), ("fd00::/16", "fd00::5"),
        ("fd01::/16", "fd01::7"),
        ("fe80::/10", "fe80::5"), ("0.0.0.0/0", "127.0.0.1"), ("172.16.0.1/32", "172.16.0.1"),
        // By address.
        ("10.9.0.1", "10.9.0.1"), ("fd00::5", "fd00::5"), ("fd00:0:0::5", "fd00::5"),
        ("127.0.0.9", "127.0.0.9"),
        ("::1", "::1"),
    ])
    func choosesByNameRangeOrAddress(_ text: String, _ expected: String) throws {
        #expect(try Self.choice(text) == expected)
    }

    @Test(arguments: [
        "eth", "eth2", "ETH0", "", "10.9.0.2", "11.0.0.0/8", "10.0.0.0/33", "10.0.0.0/", "fd02::/16", "/8",
    ])
    func saysWhichInterfacesThereAre(_ text: String) throws {
        let error = #expect(throws: CollectiveError.self) { try Self.choice(text) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.peer == 3)
        let message = error?.message ?? ""
        #expect(message.contains("'\(text)'"))
        for interface in Self.interfaces {
            #expect(message.contains("\(interface.name) (\(interface.address.hostText))"))
        }
    }

    @Test(arguments: ["lo", "127.0.0.0/8", "127.0.0.1"])
    func listensWhereItIsAsked(_ text: String) throws {
        let transport = try TCPRanks.transport(rank: 0, TCPRanks.options(text))
        defer { transport.shutdown() }
        #expect(transport.ownCard.addresses.map(\.hostText) == ["127.0.0.1"])
        #expect(transport.address.port > 0)
        _ = try Stranger(to: transport.address)
    }

    @Test func listensOnceOnEachAddress() throws {
        let options = TCPRanks.options("lo", "127.0.0.1", "::1", "127.0.0.0/8", "::1/128", "127.0.0.2")
        let transport = try TCPRanks.transport(rank: 0, options)
        defer { transport.shutdown() }
        #expect(transport.ownCard.addresses.map(\.hostText) == ["127.0.0.1", "::1", "127.0.0.2"])
        for address in transport.ownCard.addresses { _ = try Stranger(to: address) }
    }

    @Test func refusesAnInterfaceThatDoesNotExist() throws {
        let error = #expect(throws: CollectiveError.self) {
            _ = try TCPRanks.transport(rank: 1, TCPRanks.options("lo", "nowhere7"))
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("nowhere7") == true)
        #expect(error?.message.contains("lo (127.0.0.1)") == true)
    }

    @Test func followsTheRouteHint() throws {
        var options = TCPOptions()
        for (hint, expected) in [("127.0.0.1", "127.0.0.1"), ("::1", "::1")] {
            options.routeHint = Self.address(hint)
            let transport = try TCPRanks.transport(rank: 0, options)
            defer { transport.shutdown() }
            #expect(transport.ownCard.addresses.map(\.hostText) == [expected])
        }
    }

    @Test func takesAFreePortOfItsRange() throws {
        // A port that is taken, and the ones behind it.
        let taken = try Socket.listening(on: Self.address("127.0.0.1"))
        let port = try taken.localAddress().port
        let last = min(port, .max - 20) + 20
        let options = TCPRanks.options("127.0.0.1") { $0.portRange = port...last }
        let transport = try TCPRanks.transport(rank: 0, options)
        defer { transport.shutdown() }
        #expect(transport.address.port > port)
        #expect(transport.address.port <= last)
    }

    @Test func namesAddressAndPortsThatAreInUse() throws {
        let taken = try Socket.listening(on: Self.address("127.0.0.1"))
        let port = try taken.localAddress().port
        let options = TCPRanks.options("127.0.0.1") { $0.portRange = port...port }
        let error = #expect(throws: CollectiveError.self) {
            _ = try TCPRanks.transport(rank: 5, worldSize: 8, options)
        }
        #expect(error?.code == .unreachable)
        #expect(error?.peer == 5)
        #expect(error?.message.contains("127.0.0.1, port \(port): address already in use") == true)
    }

    @Test func namesARangeOfPortsThatAreInUse() throws {
        // Two neighbours, wherever the system has them.
        for port in UInt16(20_000)..<21_000 {
            guard let first = try? Socket.listening(on: Self.address("127.0.0.1").withPort(port)),
                let second = try? Socket.listening(on: Self.address("127.0.0.1").withPort(port + 1))
            else { continue }
            let options = TCPRanks.options("127.0.0.1") { $0.portRange = port...(port + 1) }
            let error = #expect(throws: CollectiveError.self) { _ = try TCPRanks.transport(rank: 0, options) }
            #expect(error?.message.contains("port \(port) to \(port + 1): address already in use") == true)
            #expect(try second.localAddress().port == first.localAddress().port + 1)
            return
        }
        Issue.record("no two neighbouring ports were free")
    }

    @Test func freesItsPortsWhenShutDown() throws {
        let transport = try TCPRanks.transport(rank: 0)
        let address = transport.address
        transport.shutdown()
        let again = try Socket.listening(on: address)
        #expect(try again.localAddress() == address)
    }

    @Test func refusesAnUnknownCongestionControl() throws {
        let options = TCPRanks.options("127.0.0.1") { $0.congestionControl = "warp" }
        let error = #expect(throws: CollectiveError.self) {
            _ = try TCPRanks.transport(rank: 2, worldSize: 4, options)
        }
        #expect(error?.code == .unsupported)
        #expect(error?.peer == 2)
        #expect(error?.message.contains("'warp'") == true)
    }
}

@Suite struct AddressCardTests {
    private static let card = AddressCard(
        host: "a host",
        addresses: [
            SocketAddress(host: [10, 0, 0, 1], port: 0xABCD),
            SocketAddress(host: (0..<16).map { UInt8($0) }, port: 1, scope: 0x0403_0201),
        ])

    @Test func hasTheDocumentedLayout() {
        var expected: [UInt8] = [6] + Array("a host".utf8)
        expected += [2, 4, 10, 0, 0, 1, 0xCD, 0xAB, 0, 0, 0, 0]
        expected += [16] + (0..<16).map { UInt8($0) } + [1, 0, 1, 2, 3, 4]
        #expect(Self.card.bytes == expected)
        #expect(AddressCard(expected) == Self.card)
    }

    @Test func refusesEverythingElse() {
        let bytes = Self.card.bytes
        for count in bytes.indices { #expect(AddressCard(Array(bytes[..<count])) == nil) }
        #expect(AddressCard(bytes + [0]) == nil)
        // A count of no addresses, and an address of five bytes.
        #expect(AddressCard([1, 65, 0]) == nil)
        #expect(AddressCard([1, 65, 1, 5, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0]) == nil)
    }

    @Test func channelsTakeTurns() {
        let card = AddressCard(
            host: "", addresses: (0..<3).map { SocketAddress(host: [127, 0, 0, UInt8($0)], port: 1) })
        let hosts = [0, 1, 2, 3, 7].map { card.address(for: .init(channel: $0)).host[3] }
        #expect(hosts == [0, 1, 2, 0, 1])
        #expect(card.address(for: .init(channel: .max)).host[3] == 0)
    }

    @Test func loopbackOfAnotherHostIsRefused() throws {
        let transport = try TCPRanks.transport(rank: 0, host: "here")
        defer { transport.shutdown() }
        let other = AddressCard(host: "there", addresses: [SocketAddress(host: [127, 0, 0, 1], port: 9)])
        let error = #expect(throws: CollectiveError.self) {
            try transport.meet([transport.card, other.bytes])
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.peer == 1)
        #expect(error?.message.contains("127.0.0.1:9") == true)
    }
}
