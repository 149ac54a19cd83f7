using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace OllamaMax.TestKit;

/// <summary>Passes connections on to a port of this machine, and cuts off those whom a test names.</summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<TcpClient, (int Port, CancellationTokenSource Cut)> _open = [];
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly int _target;
    private readonly Task _loop;
    private volatile Func<int, bool> _isCutOff = _ => false;

    /// <param name="target">The port.</param>
    public TcpRelay(int target)
    {
        _target = target;
        _listener.Start();
        _loop = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

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

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        await Task.WhenAll(_connections);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException && _stop.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            int port = ((IPEndPoint)client.Client.RemoteEndPoint!).Port;
            CancellationTokenSource cut = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
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
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // One side has gone, or is cut off; the other learns it by the end of its connection.
            }
            finally
            {
                // Not disposed of: somebody may be about to cancel it.
                _open.TryRemove(client, out _);
            }
        }
    }
}
