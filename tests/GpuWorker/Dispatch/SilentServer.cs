using System.Net.Sockets;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

/// <summary>Takes every connection, reads what comes, and never answers.</summary>
internal sealed class SilentServer : TcpServer
{
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SilentServer() => Start();

    /// <summary>Something was asked.</summary>
    public Task Asked => _asked.Task;

    protected override async Task ServeAsync(TcpClient client)
    {
        byte[] buffer = new byte[4096];
        while (await client.GetStream().ReadAsync(buffer, Stopping) > 0)
            _asked.TrySetResult();
    }
}
