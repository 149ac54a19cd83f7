using System.Runtime.InteropServices;
using OllamaMax.Inference.Native.LlamaCpp;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Inference.Tests.LlamaCpp;

/// <summary>What llama.cpp itself makes of models, of rows, and which types it chooses.</summary>
internal static unsafe class LlamaQuantizer
{
    private static readonly nint s_llama = Load(LlamaApi.Llama);
    private static readonly nint s_ggml = Load(LlamaApi.GgmlBase);

    /// <summary>Quantizes a file by the library's defaults, with one thread.</summary>
    public static void Model(string from, string to, uint fileType)
    {
        var quantize = (delegate* unmanaged[Cdecl]<byte*, byte*, Parameters*, uint>)NativeLibrary.GetExport(s_llama, "llama_model_quantize");
        Parameters parameters = Defaults();
        (parameters.Threads, parameters.FileType) = (1, (int)fileType);
        byte* input = (byte*)Marshal.StringToCoTaskMemUTF8(from), output = (byte*)Marshal.StringToCoTaskMemUTF8(to);
        uint failed = quantize(input, output, &parameters);
        Marshal.FreeCoTaskMem((nint)input);
        Marshal.FreeCoTaskMem((nint)output);
        failed.ShouldBe(0u);
    }

    /// <summary>One row of ggml's type.</summary>
    public static byte[] Row(uint type, float[] values)
    {
        var quantize = (delegate* unmanaged[Cdecl]<int, float*, byte*, long, long, long, float*, nuint>)NativeLibrary.GetExport(s_ggml, "ggml_quantize_chunk");
        byte[] row = new byte[(int)GgmlType.Of(type).BytesOf(values.Length)!];
        fixed (float* from = values)
        fixed (byte* to = row)
            quantize((int)type, from, to, 0, 1, values.Length, null).ShouldBe((nuint)row.Length);
        return row;
    }

    /// <summary>Types of F32 tensors of a model that there is no file of (src/llama-ext.h, which is for tests; hence the names of C++).</summary>
    public static uint[] Types(ModelShape model, IReadOnlyList<GgufTensor> tensors, uint fileType)
    {
        var describe = (delegate* unmanaged[Cdecl]<Description*, void*>)NativeLibrary.GetExport(s_llama, "_Z31llama_quant_model_from_metadataPK22llama_quant_model_desc");
        var begin = (delegate* unmanaged[Cdecl]<void*, Parameters*, void*>)NativeLibrary.GetExport(s_llama, "_Z16llama_quant_initPK11llama_modelPK27llama_model_quantize_params");
        var choose = (delegate* unmanaged[Cdecl]<void*, int, void**, uint*, nuint, void>)NativeLibrary.GetExport(
            s_llama, "_Z25llama_quant_compute_typesP19quantize_state_impl11llama_ftypePP11ggml_tensorP9ggml_typem");
        var end = (delegate* unmanaged[Cdecl]<void*, void>)NativeLibrary.GetExport(s_llama, "_Z16llama_quant_freeP19quantize_state_impl");
        var freeModel = (delegate* unmanaged[Cdecl]<void*, void>)NativeLibrary.GetExport(s_llama, "llama_model_free");
        var allocate = (delegate* unmanaged[Cdecl]<Pool, void*>)NativeLibrary.GetExport(s_ggml, "ggml_init");
        var free = (delegate* unmanaged[Cdecl]<void*, void>)NativeLibrary.GetExport(s_ggml, "ggml_free");

        void* pool = allocate(new Pool { Size = 4 << 20, HasNoData = 1 });
        void*[] made = new void*[tensors.Count];
        for (int i = 0; i < made.Length; i++)
            made[i] = Tensor(pool, tensors[i]);
        byte* architecture = (byte*)Marshal.StringToCoTaskMemUTF8(model.Architecture);
        Description description = new()
        {
            Architecture = architecture,
            Width = (uint)model.Width,
            FeedForward = (uint)model.FeedForward,
            Layers = (uint)model.Layers,
            Heads = (uint)model.Heads,
            KeyValueHeads = (uint)model.KeyValueHeads,
            Experts = (uint)model.Experts,
            KeyWidth = 128,
            ValueWidth = 128,
        };
        void* described = describe(&description);
        Parameters parameters = Defaults();
        void* state = begin(described, &parameters);
        uint[] types = new uint[made.Length];
        fixed (void** from = made)
        fixed (uint* to = types)
            choose(state, (int)fileType, from, to, (nuint)made.Length);
        end(state);
        freeModel(described);
        free(pool);
        Marshal.FreeCoTaskMem((nint)architecture);
        return types;
    }

    private static void* Tensor(void* pool, GgufTensor tensor)
    {
        var make = (delegate* unmanaged[Cdecl]<void*, uint, long, long, long, long, void*>)NativeLibrary.GetExport(s_ggml, "ggml_new_tensor_4d");
        var name = (delegate* unmanaged[Cdecl]<void*, byte*, void*>)NativeLibrary.GetExport(s_ggml, "ggml_set_name");
        long[] dimensions = [.. tensor.Dimensions.Select(dimension => (long)dimension), 1, 1, 1];
        void* made = make(pool, tensor.Type, dimensions[0], dimensions[1], dimensions[2], dimensions[3]);
        byte[] terminated = [.. tensor.RawName, 0];
        fixed (byte* text = terminated)
            name(made, text);
        return made;
    }

    private static Parameters Defaults() =>
        ((delegate* unmanaged[Cdecl]<Parameters>)NativeLibrary.GetExport(s_llama, "llama_model_quantize_default_params"))();

    /// <summary>By way of a model: the libraries need each other, and the engine knows how they are loaded.</summary>
    private static nint Load(string library)
    {
        TestModels.Load(TestModels.Tiny).Dispose();
        return NativeLibrary.Load(LlamaLocator.FindLibrary(LlamaLocator.FindDirectory(), library)!);
    }

    /// <summary>Of the fields only the first two are known here: threads, and the type of the file. Larger than the library's: it is answered in memory that the caller gives.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 512)]
    private struct Parameters
    {
        public int Threads;
        public int FileType;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Pool
    {
        public nuint Size;
        public void* Memory;
        public byte HasNoData;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Description
    {
        public byte* Architecture;
        public uint Width;
        public uint FeedForward;
        public uint Layers;
        public uint Heads;
        public uint KeyValueHeads;
        public uint Experts;
        public uint KeyWidth;
        public uint ValueWidth;
    }
}

/// <summary>What decides about the types of a model's tensors.</summary>
internal sealed record ModelShape(string Architecture, int Layers, int Width, int FeedForward, int Heads = 32, int KeyValueHeads = 8, int Experts = 0);
