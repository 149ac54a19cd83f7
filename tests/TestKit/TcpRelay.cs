using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace OllamaMax.TestKit;

/// <summary>Passes connections on to a port of this machine, and cuts off those whom a test names.</summary>
public sealed class TcpRelay : TcpServer
{
    private readonly ConcurrentDictionary<TcpClient, (int Port, CancellationTokenSource Cut)> _open = [];
    private readonly int _target;
    private volatile Func<int, bool> _isCutOff = _ => false;

    /// <param name="target">The port.</param>
    public TcpRelay(int target)
    {
        _target = target;
        Start();
    }

    /// <summary>Ends the connections of some clients and lets no new ones through, until it is called again.</summary>
    /// <param name="whom">By the port that the client's connection comes from.</param>
    public void CutOff(Func<int, bool> whom)
    {
        _isCutOff = whom;
        foreach (var (port, cut) in _open.Values)
        {
            if (whom(port))
                cut.Cancel();
        }
    }

    protected override async Task ServeAsync(TcpClient client)
    {
        int port = ((IPEndPoint)client.Client.RemoteEndPoint!).Port;
        // Not disposed of: somebody may be about to cancel it.
        CancellationTokenSource cut = CancellationTokenSource.CreateLinkedTokenSource(Stopping);
        _open[client] = (port, cut);
        try
        {
            if (_isCutOff(port))
                return;
            using TcpClient server = new();
            await server.ConnectAsync(IPAddress.Loopback, _target, cut.Token);
            NetworkStream from = client.GetStream(), to = server.GetStream();
            await Task.WhenAny(from.CopyToAsync(to, cut.Token), to.CopyToAsync(from, cut.Token));
        }
        finally
        {
            _open.TryRemove(client, out _);
        }
    }
}
