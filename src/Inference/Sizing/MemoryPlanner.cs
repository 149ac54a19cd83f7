using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Devices;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Sizing;

/// <summary>Fits a model into memory: the one place that knows what weights, context and computing take. Pure.</summary>
internal static class MemoryPlanner
{
    // With less a model cannot do anything useful.
    private const int LeastContext = 256;

    /// <summary>
    /// With slots as asked for, a context that does not fit is cut. Without a number, as many slots as fit at the whole context, up to
    /// <see cref="EngineOptions.MostSlots"/>: but none that would push a layer off the GPUs, which slows all of them down. Not even one at the whole context: one at less.
    /// </summary>
    /// <param name="shape">The model.</param>
    /// <param name="options">Valid.</param>
    /// <param name="devices">What there is to compute on, with what is free now; none: only <see cref="EngineOptions.MemoryBytes"/> bounds.</param>
    /// <exception cref="ModelLoadException">The model does not fit; the message goes on after the file's name.</exception>
    public static MemoryPlan Of(ModelShape shape, EngineOptions options, IReadOnlyList<InferenceDevice> devices)
    {
        Sizes sizes = new(shape, options, devices);
        return sizes.WithPrefixes(sizes.WithStage(Of(sizes, options.Slots)));
    }

    private static MemoryPlan Of(Sizes sizes, int? asked)
    {
        if (asked is { } slots)
            return sizes.Cut(slots);
        MemoryPlan one = sizes.Cut(1);
        if (one.ContextPerSlot < sizes.Asked)
            return one;
        for (int more = EngineOptions.MostSlots; more > 1; more--)
        {
            MemoryPlan plan = sizes.Plan(more, sizes.Total(more));
            if (plan.Bytes <= sizes.Free && plan.GpuLayers == one.GpuLayers)
                return plan;
        }
        return one;
    }

    private sealed class Sizes(ModelShape shape, EngineOptions options, IReadOnlyList<InferenceDevice> devices)
    {
        private readonly long _perToken = shape.IsGenerator ? shape.CacheBytesPerToken(options.KeyType, options.ValueType) : 0;

        public int Asked { get; } = shape.TrainedContext > 0 ? Math.Min(options.ContextPerSlot, shape.TrainedContext) : options.ContextPerSlot;

        public long Memory { get; } = options.MemoryBytes ?? long.MaxValue;

        /// <summary>Of <see cref="Memory"/>, what devices have free; that of a GPU in the processor is the machine's.</summary>
        public long Free => Math.Min(
            Memory, devices.Count == 0 ? long.MaxValue : devices.Where(static device => device.Kind != DeviceKind.IntegratedGpu).Sum(static device => device.FreeBytes));

        // Of a state or a sliding window no part can be copied.
        private bool CanExchange => shape.IsGenerator && !shape.IsRecurrent && shape.SlidingWindow == 0;

        private int Least => Math.Min(LeastContext, Asked);

        public int Total(int slots) => options.TotalContext ?? (int)Math.Min((long)slots * Asked, int.MaxValue);

        public MemoryPlan Cut(int slots)
        {
            MemoryPlan whole = Plan(slots, Total(slots));
            if (whole.Bytes <= Memory)
                return whole;
            MemoryPlan least = Plan(slots, Least);
            if (least.Bytes > Memory)
            {
                throw new ModelLoadException($"does not fit: with {least.TotalContext} tokens of context and {slots} slots it needs {least.Bytes} bytes, "
                    + $"{least.WeightBytes} of them for its weights, and there are {Memory} bytes; {least.LeastBytes} bytes would do for one slot");
            }
            // What computing takes grows with the context evenly, so two plans tell what a token takes.
            double perToken = Math.Max(1, (double)(whole.Bytes - least.Bytes) / Math.Max(1, whole.TotalContext - least.TotalContext));
            int total = least.TotalContext + (int)((Memory - least.Bytes) / perToken);
            MemoryPlan cut = Plan(slots, total);
            // Rounded to the wrong side.
            while (cut.Bytes > Memory && total > least.TotalContext)
                cut = Plan(slots, --total);
            return cut;
        }

        /// <summary>
        /// A stage for prompts where what is left has room for it. On a CPU alone: a GPU reads thousands of tokens in the time of a few steps, and copies cross the bus twice.
        /// Not under LLamaSharp, where the other context could not compute while the stage stands still.
        /// </summary>
        public MemoryPlan WithStage(MemoryPlan plan)
        {
            if (plan.Slots == 1 || plan.ContextPerSlot < PromptStage.BatchSize || !CanExchange || !NativeModels.IsLlamaCpp(options.Native) || plan.UsesGpu)
                return plan;
            long cache = _perToken * plan.ContextPerSlot;
            EngineOptions inBatches = options with { BatchSize = Math.Min(options.BatchSize, PromptStage.BatchSize) };
            long compute = ComputeBuffers.Estimate(shape, inBatches, 1, plan.ContextPerSlot);
            return plan.Bytes + cache + compute > Free
                ? plan
                : plan with { StageContext = plan.ContextPerSlot, CacheBytes = plan.CacheBytes + cache, ComputeBytes = plan.ComputeBytes + compute };
        }

        /// <summary>
        /// Half of what is left of the machine's memory: others may want some, and no model is refused for it. On a CPU alone: a GPU's copies are made piece by piece, and
        /// those of answers that ran beside each other have a piece for each token and layer, which takes it longer than attention to them.
        /// </summary>
        public MemoryPlan WithPrefixes(MemoryPlan plan)
        {
            bool mayUseGpu = plan.UsesGpu || (plan.GpuLayers != 0 && !NativeModels.IsLlamaCpp(options.Native));
            if (!CanExchange || options.CachedPrompts == 0 || mayUseGpu)
                return plan;
            InferenceDevice? machine = devices.FirstOrDefault(static device => device.Kind == DeviceKind.Cpu);
            long left = machine is null ? long.MaxValue : machine.FreeBytes - plan.Bytes;
            return plan with { PrefixBytes = Math.Clamp(left / 2, 0, options.PrefixBytes) };
        }

        public MemoryPlan Plan(int slots, int total)
        {
            long cache = Cache(slots, total), compute = ComputeBuffers.Estimate(shape, options, Sequences(slots), total);
            int layers = options.GpuLayers ?? GpuFit.Layers(shape, cache, compute, devices);
            return new MemoryPlan
            {
                Slots = slots,
                ContextPerSlot = Math.Min(Asked, total),
                TotalContext = total,
                GpuLayers = layers,
                UsesGpu = UsesGpu(layers),
                WeightBytes = shape.FileBytes,
                CacheBytes = cache,
                ComputeBytes = compute,
                VramBytes = GpuFit.Bytes(shape, cache, compute, layers, devices),
                LeastBytes = shape.FileBytes + Cache(1, Least) + ComputeBuffers.Estimate(shape, options, Sequences(1), Least),
            };
        }

        private long Cache(int slots, int total) => (_perToken * total) + (shape.StateBytes * Sequences(slots));

        // Without a list of devices there may be a GPU.
        private bool UsesGpu(int layers) => layers != 0 && (devices.Count == 0 || devices.Any(static device => device.Kind is DeviceKind.Gpu or DeviceKind.IntegratedGpu));

        private int Sequences(int slots) => options.SequencesFor(slots, shape.IsRecurrent);
    }
}
