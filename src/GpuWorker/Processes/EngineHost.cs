using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using OllamaMax.Diagnostics;
using OllamaMax.Inference;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Processes;

/// <summary>A model's process from within: loads the model, runs what its worker asks for, and ends when the worker wants it or is gone.</summary>
internal sealed class EngineHost : IDisposable
{
    /// <summary>While a long prompt is read there are no tokens to carry the engine's steps.</summary>
    private static readonly TimeSpan StepsEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>As often as a busy worker reports.</summary>
    private static readonly TimeSpan DevicesEvery = TimeSpan.FromSeconds(10);

    private readonly Stream _input;
    private readonly FrameWriter _writer;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ConcurrentDictionary<int, CancellationTokenSource> _jobs = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<LoadOrder> _order = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile IInferenceEngine? _engine;

    public EngineHost(Stream input, Stream output, TimeProvider time)
    {
        _time = time;
        _input = input;
        _writer = new FrameWriter(output, "to worker");
        _loggers = LoggerFactory.Create(logging =>
        {
            LogLevels.Set(logging);
            logging.AddProvider(new FrameLogging(_writer));
        });
    }

    public void Dispose()
    {
        _stop.Dispose();
        _loggers.Dispose();
        _writer.Dispose();
        // Not the input: its thread waits for the worker's end as long as this process lives.
    }

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync()
    {
        new Thread(ReadAll) { Name = "from worker", IsBackground = true }.Start();
        int exitCode = await LoadAndServeAsync();
        _writer.Complete();
        await _writer.Ended;
        return exitCode;
    }

    private async Task<int> LoadAndServeAsync()
    {
        try
        {
            LoadOrder order = await _order.Task.WaitAsync(_stop.Token);
            await using LoadedEngine loaded = await LlamaEngine.LoadAsync(order.Path, order.Options, new Progress(_writer), _loggers, _time, _stop.Token);
            _engine = loaded.Engine;
            var report = new LoadReport(
                loaded.LoadDuration, loaded.ContextPerSlot, loaded.Engine.Slots, loaded.Engine.IsContinuable, loaded.MemoryBytes, loaded.GpuLayers, loaded.VramBytes);
            _writer.Write(FrameKind.Loaded, 0, report, EngineJson.Default.LoadReport);
            bool hasGpu = TellDevices(order.Options.Native);
            await Task.WhenAll(ServeAsync(loaded.Engine), hasGpu ? TellDevicesAsync(loaded.Engine, order.Options.Native) : Task.CompletedTask);
            return loaded.Engine.Broken.IsCompleted ? 1 : 0;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            return 0;
        }
        catch (ModelLoadException e)
        {
            _writer.Write(FrameKind.LoadFailed, 0, Encoding.UTF8.GetBytes(e.Message));
            return 0;
        }
    }

    /// <summary>Until it is told to stop, or the engine is of no more use.</summary>
    private async Task ServeAsync(IInferenceEngine engine)
    {
        using var timer = new PeriodicTimer(StepsEvery, _time);
        long told = 0;
        try
        {
            while (!engine.Broken.IsCompleted && await timer.WaitForNextTickAsync(_stop.Token))
            {
                if (engine.Steps == told)
                    continue;
                told = engine.Steps;
                _writer.Write(FrameKind.Steps, 0, Int64(told));
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>Also what others take of a GPU's memory is seen here: the worker itself loads no library that could tell it.</summary>
    private async Task TellDevicesAsync(IInferenceEngine engine, NativeKind native)
    {
        using var timer = new PeriodicTimer(DevicesEvery, _time);
        try
        {
            while (!engine.Broken.IsCompleted && await timer.WaitForNextTickAsync(_stop.Token))
                TellDevices(native);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    /// <returns>Whether one has memory of its own.</returns>
    private bool TellDevices(NativeKind native)
    {
        InferenceDevice[] devices = [.. InferenceDevices.List(native, _loggers)];
        _writer.Write(FrameKind.Devices, 0, devices, EngineJson.Default.InferenceDeviceArray);
        return devices.Any(static device => device.Kind == DeviceKind.Gpu);
    }

    private void ReadAll()
    {
        var reader = new FrameReader(_input);
        while (reader.TryRead(out Frame? frame))
            Take(frame);
        // The worker is gone. Nobody hears what is still to say, and a native call may not come back: no orderly way out.
        Process.GetCurrentProcess().Kill();
    }

    private void Take(Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Load:
                _order.TrySetResult(frame.Read(EngineJson.Default.LoadOrder));
                break;
            case FrameKind.Run:
                EngineRequest request = frame.Read(EngineJson.Default.EngineRequest);
                _ = RunAsync(frame.Job, (engine, sink, cancellationToken) => engine.RunAsync(request, sink, cancellationToken));
                break;
            case FrameKind.Embed:
                EmbedRequest embed = frame.Read(EngineJson.Default.EmbedRequest);
                _ = RunAsync(frame.Job, (engine, sink, cancellationToken) => engine.EmbedAsync(embed, sink, cancellationToken));
                break;
            case FrameKind.Cancel:
                Cancel(frame.Job);
                break;
            case FrameKind.Stop:
                _stop.Cancel();
                break;
            default:
                throw new InvalidDataException($"a frame of the kind {(byte)frame.Kind}");
        }
    }

    private async Task RunAsync(int id, Func<IInferenceEngine, ITokenSink, CancellationToken, ValueTask<AttemptEnd>> run)
    {
        IInferenceEngine engine = _engine ?? throw new InvalidDataException("a job before the model was loaded");
        using var cancel = new CancellationTokenSource();
        // Before anything is awaited: the reader goes on to the next frame, which may cancel this job. Engines yield before they work.
        _jobs[id] = cancel;
        AttemptEnd end;
        try
        {
            end = await run(engine, new FrameSink(_writer, id, engine), cancel.Token);
        }
        catch (Exception e)
        {
            // Engines do not throw; whoever waits for this job must hear of its end all the same.
            end = new AttemptEnd { Reason = EndReason.Failed, Error = e.Message };
        }
        _jobs.TryRemove(id, out _);
        _writer.Write(FrameKind.Ended, id, Int64(engine.Steps), JsonSerializer.SerializeToUtf8Bytes(end, EngineJson.Default.AttemptEnd));
    }

    private void Cancel(int id)
    {
        if (!_jobs.TryGetValue(id, out CancellationTokenSource? job))
            return;
        try
        {
            job.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended in the meantime.
        }
    }

    private static byte[] Int64(long value)
    {
        byte[] bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }

    private sealed class FrameSink(FrameWriter writer, int job, IInferenceEngine engine) : ITokenSink
    {
        public void Started(AttemptStart start) => writer.Write(FrameKind.Started, job, start, EngineJson.Default.AttemptStart);

        public void Write(int index, int token, ReadOnlySpan<byte> piece, TokenLogprobs? logprobs = null) =>
            TokenFrame.Write(writer, job, index, token, engine.Steps, piece, logprobs);
    }

    /// <summary>llama.cpp reports after every tensor: a hundredth is enough.</summary>
    private sealed class Progress(FrameWriter writer) : IProgress<float>
    {
        private int _told;

        public void Report(float value)
        {
            int hundredths = (int)(value * 100);
            if (hundredths == _told)
                return;
            _told = hundredths;
            byte[] bytes = new byte[sizeof(float)];
            BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
            writer.Write(FrameKind.Progress, 0, bytes);
        }
    }
}
