using System.Net;
using System.Net.Sockets;
using OllamaMax.LocalHost.Data;
using OllamaMax.TestKit;

namespace OllamaMax.LocalHost.Tests.Data;

public sealed class KeptPortsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void Find_FreeOne_IsTheOneOfBefore_AndWhereItIsTakenNone()
    {
        KeptPorts ports = new(_folder.Path);
        ports.Find("blob").ShouldBe(0);
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        ports.Keep("blob", port);

        ports.Find("blob").ShouldBe(0);
        listener.Stop();

        new KeptPorts(_folder.Path).Find("blob").ShouldBe(port);
    }

    [Theory]
    [InlineData("")]
    [InlineData("70000")]
    [InlineData("soon")]
    public void Find_WhatIsNoPort_IsNone(string text)
    {
        File.WriteAllText(_folder.File("blob"), text);

        new KeptPorts(_folder.Path).Find("blob").ShouldBe(0);
    }

    public void Dispose() => _folder.Dispose();
}
