using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference.Devices;
using OllamaMax.Workers;

namespace OllamaMax.GpuWorker.Health;

/// <summary>What this box computes on, as last heard. Asking can take seconds, so nobody waits for it: a report has what the one before asked for.</summary>
internal sealed partial class MachineDevices(IEngineLoader loader, ILogger<MachineDevices> logger)
{
    private volatile IReadOnlyList<InferenceDevice> _devices = [];
    private int _asking;
    private bool _failed;

    /// <summary>Others are there than before. Called on any thread.</summary>
    public event Action? Changed;

    /// <summary>Empty until the first answer.</summary>
    public IReadOnlyList<InferenceDevice> Current => _devices;

    /// <summary>As a report names them: a CPU's memory is the machine's, and not told twice.</summary>
    public static IReadOnlyList<WorkerDevice> Report(IReadOnlyList<InferenceDevice> devices) =>
    [
        .. devices.Select(static (device, index) => new WorkerDevice(
            index, device.Description.Length > 0 ? device.Description.Trim() : device.Name, device.Backend,
            device.Kind == DeviceKind.Gpu ? device.TotalBytes : 0, device.Kind == DeviceKind.Gpu ? device.FreeBytes : 0))
    ];

    /// <summary>Asks, unless that is being done; never throws.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _asking, 1) != 0)
            return;
        try
        {
            IReadOnlyList<InferenceDevice> devices = await loader.DevicesAsync(cancellationToken);
            bool areOthers = !devices.Select(static device => device.Name).SequenceEqual(_devices.Select(static device => device.Name));
            _devices = devices;
            if (areOthers)
                Changed?.Invoke();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            // Nobody awaits this. Asked again with every report, said once.
            if (!_failed)
                LogUnknown(e);
            _failed = true;
        }
        finally
        {
            Volatile.Write(ref _asking, 0);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What models can be computed on here is unknown")]
    private partial void LogUnknown(Exception exception);
}
