using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using OllamaMax.Inference;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>
/// An engine in a process of its own. What ends that process, a failed assertion of the native library or a kill, ends its jobs as failed, so
/// that their owners have them go on elsewhere or here again, and nothing else. A thread reads what the process says and hands tokens on.
/// </summary>
internal sealed partial class ProcessEngine : IInferenceEngine
{
    /// <summary>For handing back what runs and freeing the memory; after it the process is killed.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);

    /// <summary>Characters; JSON of less takes less time than a change of threads.</summary>
    private const int LongPrompt = 64 << 10;

    private readonly ModelProcess _process;
    private readonly FrameWriter _writer;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IProgress<float> _progress;
    private readonly Action<IReadOnlyList<InferenceDevice>> _onDevices;
    private readonly TaskCompletionSource<LoadReport> _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _ended;
    private readonly Lock _lock = new();
    private readonly Dictionary<int, RunningJob> _jobs = [];
    private int _lastJob;
    private AttemptEnd? _refusal;
    private LoadReport? _report;
    private long _steps;
    private string? _killedFor;

    private ProcessEngine(
        ModelProcess process, string label, IProgress<float> progress, Action<IReadOnlyList<InferenceDevice>> onDevices, TimeProvider time, ILogger logger)
    {
        _process = process;
        _progress = progress;
        _onDevices = onDevices;
        _time = time;
        _logger = logger;
        Label = label;
        _writer = new FrameWriter(process.Input, "to model");
        var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            ReadAll(process.Output);
            reading.SetResult();
        }) { Name = "from model", IsBackground = true }.Start();
        _ended = EndAsync(reading.Task);
    }

    /// <summary>Stands for the model in the log.</summary>
    public string Label { get; }

    public int Pid => _process.Pid;

    public int Slots => Report.Slots;

    public long Steps => Interlocked.Read(ref _steps);

    public bool IsContinuable => Report.IsContinuable;

    public Task Broken => _broken.Task;

    /// <summary>Ends with the process, however that ends.</summary>
    public Task Ended => _ended;

    private LoadReport Report => _report ?? throw new InvalidOperationException("the model is not loaded yet");

    /// <summary>Starts the process and has it load the model.</summary>
    /// <param name="progress">Told on any thread how much is read, from 0 to 1; must not throw.</param>
    /// <param name="onDevices">Told on any thread what the process computes on, now and then; must not throw.</param>
    /// <exception cref="ModelLoadException">The model cannot be used, or its process cannot be started or has ended.</exception>
    /// <exception cref="OperationCanceledException"/>
    public static async Task<LoadedEngine> LoadAsync(
        LoadOrder order,
        string label,
        IProgress<float> progress,
        Action<IReadOnlyList<InferenceDevice>> onDevices,
        TimeProvider time,
        ILogger logger,
        CancellationToken cancellationToken)
    {
        ModelProcess process;
        try
        {
            process = ModelProcess.Start(line => LogError(logger, label, line));
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new ModelLoadException($"the model's process cannot be started: {e.Message}", e);
        }
        var engine = new ProcessEngine(process, label, progress, onDevices, time, logger);
        try
        {
            engine._writer.Write(FrameKind.Load, 0, order, EngineJson.Default.LoadOrder);
            LoadReport report = engine._report = await engine._loaded.Task.WaitAsync(cancellationToken);
            return new LoadedEngine(engine, report.LoadDuration, report.ContextPerSlot)
            {
                MemoryBytes = report.MemoryBytes,
                GpuLayers = report.GpuLayers,
                VramBytes = report.VramBytes,
            };
        }
        catch
        {
            // There is nothing to hand back, and reading a file goes on for long.
            process.Kill();
            await engine.DisposeAsync();
            throw;
        }
    }

    public async ValueTask<AttemptEnd> RunAsync(EngineRequest request, ITokenSink sink, CancellationToken cancellationToken)
    {
        // To write megabytes as JSON takes a while, and the caller may be a loop with other things to do.
        if (request.Prompt.Length + (request.Prediction?.Length ?? 0) > LongPrompt)
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return await RunAsync(FrameKind.Run, request, EngineJson.Default.EngineRequest, sink, cancellationToken);
    }

    /// <summary>Ends the process at once; its jobs fail with this reason, and the engine is broken.</summary>
    public void Kill(string why)
    {
        if (Interlocked.CompareExchange(ref _killedFor, why, null) is not null)
            return;
        LogKilledFor(Label, why);
        _process.Kill();
    }

    public ValueTask<AttemptEnd> EmbedAsync(EmbedRequest request, ITokenSink sink, CancellationToken cancellationToken) =>
        RunAsync(FrameKind.Embed, request, EngineJson.Default.EmbedRequest, sink, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Refuse(new AttemptEnd { Reason = EndReason.HandedBack });
        _writer.Write(FrameKind.Stop);
        try
        {
            await _ended.WaitAsync(StopGrace, _time);
        }
        catch (TimeoutException)
        {
            LogKilled(Label, StopGrace.TotalSeconds);
            _process.Kill();
            await _ended;
        }
    }

    private async ValueTask<AttemptEnd> RunAsync<T>(FrameKind kind, T request, JsonTypeInfo<T> type, ITokenSink sink, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return new AttemptEnd { Reason = EndReason.Cancelled };
        var job = new RunningJob(sink);
        int id;
        lock (_lock)
        {
            if (_refusal is not null)
                return _refusal;
            _jobs.Add(id = ++_lastJob, job);
        }
        _writer.Write(kind, id, request, type);
        await using CancellationTokenRegistration registration = cancellationToken.Register(() => _writer.Write(FrameKind.Cancel, id));
        return await job.End;
    }

    private void ReadAll(Stream output)
    {
        try
        {
            using var reader = new FrameReader(output);
            while (reader.TryRead(out Frame? frame))
                Take(frame);
        }
        catch (Exception e)
        {
            // Whatever it is, nothing that it says can be understood any more: the same as being dead, which it then must be.
            LogUnreadable(e, Label);
            _process.Kill();
        }
    }

    private void Take(Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Progress:
                _progress.Report(BinaryPrimitives.ReadSingleLittleEndian(frame.Payload.Span));
                break;
            case FrameKind.Loaded:
                _loaded.TrySetResult(frame.Read(EngineJson.Default.LoadReport));
                break;
            case FrameKind.LoadFailed:
                Refuse(new AttemptEnd { Reason = EndReason.Failed });
                _loaded.TrySetException(new ModelLoadException(Encoding.UTF8.GetString(frame.Payload.Span)));
                break;
            case FrameKind.Started:
                AttemptStart start = frame.Read(EngineJson.Default.AttemptStart);
                HandOver(frame.Job, job => job.Started(start));
                break;
            case FrameKind.Token:
                TokenFrame token = TokenFrame.Read(frame);
                Interlocked.Exchange(ref _steps, token.Steps);
                HandOver(frame.Job, job => job.Write(token));
                break;
            case FrameKind.Ended:
                Interlocked.Exchange(ref _steps, frame.ReadInt64());
                Remove(frame.Job)?.Ended(frame.Read(EngineJson.Default.AttemptEnd, skip: sizeof(long)));
                break;
            case FrameKind.Steps:
                Interlocked.Exchange(ref _steps, frame.ReadInt64());
                break;
            case FrameKind.Devices:
                _onDevices(frame.Read(EngineJson.Default.InferenceDeviceArray));
                break;
            case FrameKind.Log:
                string line = Encoding.UTF8.GetString(frame.Payload.Span[1..]);
                LogLine(_logger, (LogLevel)frame.Payload.Span[0], Label, line);
                break;
            default:
                throw new InvalidDataException($"a frame of the kind {(byte)frame.Kind}");
        }
    }

    private void HandOver(int id, Action<RunningJob> give)
    {
        if (Find(id) is not { } job)
            return;
        try
        {
            give(job);
        }
        catch (Exception failure)
        {
            // A sink that throws is its own job's failure: the others go on.
            LogJobFailed(failure, Label);
            _writer.Write(FrameKind.Cancel, id);
            Remove(id)?.Ended(new AttemptEnd { Reason = EndReason.Failed, Error = failure.Message });
        }
    }

    /// <summary>After the process: whatever waits for it hears how it ended.</summary>
    private async Task EndAsync(Task reading)
    {
        await reading;
        _writer.Complete();
        ProcessEnd exit = await _process.Exit;
        // Ends by itself now, as nobody reads what it writes.
        await _writer.Ended;
        string error = Volatile.Read(ref _killedFor) ?? $"the model's process ended ({exit.How})";
        bool isBroken = Refuse(new AttemptEnd { Reason = EndReason.Failed, Error = error, Crashed = _killedFor is not null || !exit.WasKilled });
        if (_loaded.TrySetException(new ModelLoadException(error)))
            _ = _loaded.Task.Exception;
        foreach (RunningJob job in TakeAll())
            job.Ended(_refusal!);
        _writer.Dispose();
        _process.Dispose();
        if (!isBroken)
            return;
        LogEnded(Label, exit.How);
        _broken.SetResult();
    }

    /// <summary>From now on jobs end like this at once; false when that was so already.</summary>
    private bool Refuse(AttemptEnd end)
    {
        lock (_lock)
        {
            if (_refusal is not null)
                return false;
            _refusal = end;
            return true;
        }
    }

    private RunningJob? Find(int id)
    {
        lock (_lock)
            return _jobs.GetValueOrDefault(id);
    }

    private RunningJob? Remove(int id)
    {
        lock (_lock)
            return _jobs.Remove(id, out RunningJob? job) ? job : null;
    }

    private List<RunningJob> TakeAll()
    {
        lock (_lock)
        {
            List<RunningJob> all = [.. _jobs.Values];
            _jobs.Clear();
            return all;
        }
    }

    private sealed class RunningJob(ITokenSink sink)
    {
        private readonly TaskCompletionSource<AttemptEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<AttemptEnd> End => _end.Task;

        public void Started(AttemptStart start) => sink.Started(start);

        public void Write(TokenFrame token) => sink.Write(token.Index, token.Token, token.Piece.Span, token.Logprobs);

        public void Ended(AttemptEnd end) => _end.TrySetResult(end);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Model {Model}: its process ended ({How}); it is loaded again when it is next asked for")]
    private partial void LogEnded(string model, string how);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Model {Model}: its process did not end within {Seconds} s and was killed")]
    private partial void LogKilled(string model, double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "Model {Model}: {Reason}")]
    private partial void LogKilledFor(string model, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Model {Model}: what its process says cannot be read; it is killed")]
    private partial void LogUnreadable(Exception exception, string model);

    [LoggerMessage(Level = LogLevel.Error, Message = "Model {Model}: the tokens of a job were not taken")]
    private partial void LogJobFailed(Exception exception, string model);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Model {Model}: {Line}")]
    private static partial void LogError(ILogger logger, string model, string line);

    [LoggerMessage(Message = "Model {Model}: {Line}")]
    private static partial void LogLine(ILogger logger, LogLevel level, string model, string line);
}
