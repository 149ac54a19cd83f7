using System.Buffers;
using System.Net;
using System.Net.Sockets;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Support;

/// <summary>Passes connections on to a port of this machine, and holds answers for as long as a test wants: who asks finds a server that is slow.</summary>
public sealed class HoldingRelay : TcpServer
{
    private readonly int _target;
    private TaskCompletionSource _open = new();

    /// <param name="target">The port.</param>
    public HoldingRelay(int target)
    {
        _target = target;
        Release();
        Start();
    }

    public void Hold() => Volatile.Write(ref _open, new(TaskCreationOptions.RunContinuationsAsynchronously));

    public void Release() => Volatile.Read(ref _open).TrySetResult();

    protected override async Task ServeAsync(TcpClient client)
    {
        using TcpClient server = new();
        await server.ConnectAsync(IPAddress.Loopback, _target, Stopping);
        NetworkStream from = client.GetStream(), to = server.GetStream();
        await Task.WhenAny(from.CopyToAsync(to, Stopping), PassAnswersAsync(to, from));
    }

    private async Task PassAnswersAsync(NetworkStream from, NetworkStream to)
    {
        using IMemoryOwner<byte> buffer = MemoryPool<byte>.Shared.Rent(64 << 10);
        while (await from.ReadAsync(buffer.Memory, Stopping) is > 0 and int length)
        {
            await Volatile.Read(ref _open).Task.WaitAsync(Stopping);
            await to.WriteAsync(buffer.Memory[..length], Stopping);
        }
    }
}
