namespace OllamaMax.GpuWorker.Processes;

/// <summary>
/// What a frame between a worker and a model's process says. A frame is the length of its payload (4 bytes, little-endian, as all numbers), its
/// kind (1), the job it is about (4; 0: none), and the payload. Both ends are of one build, so there are no versions.
/// </summary>
internal enum FrameKind : byte
{
    /// <summary>To the process, once, first: <see cref="LoadOrder"/> as JSON.</summary>
    Load = 1,

    /// <summary>To the process: <see cref="Jobs.EngineRequest"/> as JSON.</summary>
    Run,

    /// <summary>To the process: <see cref="Jobs.EmbedRequest"/> as JSON.</summary>
    Embed,

    /// <summary>To the process: end this job.</summary>
    Cancel,

    /// <summary>To the process: hand back what runs, then end.</summary>
    Stop,

    /// <summary>From the process: how much of the model is read, a 32-bit float from 0 to 1.</summary>
    Progress,

    /// <summary>From the process: <see cref="LoadReport"/> as JSON.</summary>
    Loaded,

    /// <summary>From the process: why the model cannot be used, UTF-8.</summary>
    LoadFailed,

    /// <summary>From the process: <see cref="Jobs.AttemptStart"/> as JSON.</summary>
    Started,

    /// <summary>From the process: see <see cref="TokenFrame"/>.</summary>
    Token,

    /// <summary>From the process: the engine's steps (8 bytes), then <see cref="Jobs.AttemptEnd"/> as JSON.</summary>
    Ended,

    /// <summary>From the process, now and then while it has jobs: the engine's steps (8 bytes).</summary>
    Steps,

    /// <summary>
    /// From the process, when the model is loaded and, where there is a GPU, every 10 s from then on: all that its library computes on, a list of
    /// <see cref="Inference.Devices.InferenceDevice"/> as JSON.
    /// </summary>
    Devices,

    /// <summary>From the process: a level (1 byte) and a line of its log, UTF-8.</summary>
    Log,
}
