using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Native.LlamaCpp;

/// <summary>
/// The functions of llama.cpp v0.5.0 that are used (include/llama.h, ggml/include/ggml-backend.h). Nothing is checked
/// here: callers are the classes beside it, and nobody else.
/// </summary>
internal static unsafe partial class LlamaApi
{
    public const string Llama = "llama";
    public const string Ggml = "ggml";
    public const string GgmlBase = "ggml-base";

    [LibraryImport(Ggml, EntryPoint = "ggml_backend_load_all_from_path", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void LoadBackends(string directory);

    [LibraryImport(Ggml, EntryPoint = "ggml_backend_dev_count")]
    public static partial nuint DeviceCount();

    [LibraryImport(Ggml, EntryPoint = "ggml_backend_dev_get")]
    public static partial nint Device(nuint index);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_backend_dev_name")]
    public static partial byte* DeviceName(nint device);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_backend_dev_description")]
    public static partial byte* DeviceDescription(nint device);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_backend_dev_memory")]
    public static partial void DeviceMemory(nint device, out nuint free, out nuint total);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_backend_dev_type")]
    public static partial int DeviceType(nint device);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_backend_dev_backend_reg")]
    public static partial nint DeviceBackend(nint device);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_backend_reg_name")]
    public static partial byte* BackendName(nint backend);

    [LibraryImport(Llama, EntryPoint = "llama_version")]
    public static partial byte* Version();

    [LibraryImport(Llama, EntryPoint = "llama_log_set")]
    public static partial void SetLog(delegate* unmanaged[Cdecl]<int, byte*, void*, void> callback, void* userData);

    [LibraryImport(Llama, EntryPoint = "llama_backend_init")]
    public static partial void BackendInit();

    [LibraryImport(Llama, EntryPoint = "llama_max_parallel_sequences")]
    public static partial nuint MaximalSequences();

    [LibraryImport(Llama, EntryPoint = "llama_model_default_params")]
    public static partial LlamaModelParams ModelDefaultParams();

    [LibraryImport(Llama, EntryPoint = "llama_context_default_params")]
    public static partial LlamaContextParams ContextDefaultParams();

    [LibraryImport(Llama, EntryPoint = "llama_model_load_from_file", StringMarshalling = StringMarshalling.Utf8)]
    public static partial LlamaModelHandle ModelLoad(string path, LlamaModelParams parameters);

    [LibraryImport(Llama, EntryPoint = "llama_model_free")]
    public static partial void ModelFree(nint model);

    [LibraryImport(Llama, EntryPoint = "llama_model_get_vocab")]
    public static partial nint ModelVocabulary(LlamaModelHandle model);

    [LibraryImport(Llama, EntryPoint = "llama_model_n_ctx_train")]
    public static partial int ModelTrainedContext(LlamaModelHandle model);

    [LibraryImport(Llama, EntryPoint = "llama_model_n_embd_out")]
    public static partial int ModelEmbeddingWidth(LlamaModelHandle model);

    [LibraryImport(Llama, EntryPoint = "llama_model_has_encoder")]
    public static partial byte ModelHasEncoder(LlamaModelHandle model);

    [LibraryImport(Llama, EntryPoint = "llama_model_has_decoder")]
    public static partial byte ModelHasDecoder(LlamaModelHandle model);

    [LibraryImport(Llama, EntryPoint = "llama_model_is_diffusion")]
    public static partial byte ModelIsDiffusion(LlamaModelHandle model);

    /// <summary>Freed with the model.</summary>
    [LibraryImport(Llama, EntryPoint = "llama_adapter_lora_init", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint AdapterLoad(LlamaModelHandle model, string path);

    [LibraryImport(Llama, EntryPoint = "llama_set_adapters_lora")]
    public static partial int SetAdapters(LlamaContextHandle context, nint* adapters, nuint count, float* scales);

    [LibraryImport(Llama, EntryPoint = "llama_init_from_model")]
    public static partial LlamaContextHandle ContextCreate(LlamaModelHandle model, LlamaContextParams parameters);

    [LibraryImport(Llama, EntryPoint = "llama_free")]
    public static partial void ContextFree(nint context);

    [LibraryImport(Llama, EntryPoint = "llama_n_ctx")]
    public static partial uint ContextSize(LlamaContextHandle context);

    [LibraryImport(Llama, EntryPoint = "llama_n_batch")]
    public static partial uint ContextBatchSize(LlamaContextHandle context);

    [LibraryImport(Llama, EntryPoint = "llama_n_ubatch")]
    public static partial uint ContextMicroBatchSize(LlamaContextHandle context);

    [LibraryImport(Llama, EntryPoint = "llama_n_seq_max")]
    public static partial uint ContextSequences(LlamaContextHandle context);

    [LibraryImport(Llama, EntryPoint = "llama_n_threads")]
    public static partial int ContextThreads(LlamaContextHandle context);

    [LibraryImport(Llama, EntryPoint = "llama_n_threads_batch")]
    public static partial int ContextBatchThreads(LlamaContextHandle context);

    [LibraryImport(Llama, EntryPoint = "llama_decode")]
    public static partial int Decode(LlamaContextHandle context, LlamaBatch batch);

    [LibraryImport(Llama, EntryPoint = "llama_get_logits")]
    public static partial float* Logits(LlamaContextHandle context);

    [LibraryImport(Llama, EntryPoint = "llama_get_embeddings_seq")]
    public static partial float* SequenceEmbedding(LlamaContextHandle context, int sequence);

    [LibraryImport(Llama, EntryPoint = "llama_get_memory")]
    public static partial nint Memory(LlamaContextHandle context);

    [LibraryImport(Llama, EntryPoint = "llama_memory_seq_rm")]
    public static partial byte MemoryRemove(nint memory, int sequence, int from, int to);

    [LibraryImport(Llama, EntryPoint = "llama_memory_seq_cp")]
    public static partial void MemoryCopy(nint memory, int source, int destination, int from, int to);

    [LibraryImport(Llama, EntryPoint = "llama_memory_seq_pos_min")]
    public static partial int MemoryFirstPosition(nint memory, int sequence);

    [LibraryImport(Llama, EntryPoint = "llama_memory_seq_pos_max")]
    public static partial int MemoryLastPosition(nint memory, int sequence);

    /// <summary>Of what a sequence has in memory.</summary>
    [LibraryImport(Llama, EntryPoint = "llama_state_seq_get_size")]
    public static partial nuint SequenceStateSize(LlamaContextHandle context, int sequence);

    [LibraryImport(Llama, EntryPoint = "llama_state_seq_get_data")]
    public static partial nuint SequenceStateGet(LlamaContextHandle context, byte* buffer, nuint size, int sequence);

    /// <summary>Replaces what the sequence had.</summary>
    /// <returns>0: there is no room; the sequence is empty then.</returns>
    [LibraryImport(Llama, EntryPoint = "llama_state_seq_set_data")]
    public static partial nuint SequenceStateSet(LlamaContextHandle context, byte* buffer, nuint size, int sequence);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_type")]
    public static partial int VocabularyType(nint vocabulary);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_n_tokens")]
    public static partial int VocabularySize(nint vocabulary);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_is_eog")]
    public static partial byte IsEndOfGeneration(nint vocabulary, int token);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_bos")]
    public static partial int BosToken(nint vocabulary);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_eos")]
    public static partial int EosToken(nint vocabulary);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_sep")]
    public static partial int SeparatorToken(nint vocabulary);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_get_add_bos")]
    public static partial byte AddsBos(nint vocabulary);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_get_add_eos")]
    public static partial byte AddsEos(nint vocabulary);

    [LibraryImport(Llama, EntryPoint = "llama_tokenize")]
    public static partial int Tokenize(
        nint vocabulary, byte* text, int textLength, int* tokens, int capacity, byte addSpecial, byte parseSpecial);

    [LibraryImport(Llama, EntryPoint = "llama_token_to_piece")]
    public static partial int TokenToPiece(nint vocabulary, int token, byte* buffer, int length, int strip, byte special);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_chain_init")]
    public static partial LlamaSamplerHandle SamplerChain(byte noPerformance);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_chain_add")]
    public static partial void SamplerAdd(LlamaSamplerHandle chain, nint sampler);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_apply")]
    public static partial void SamplerApply(LlamaSamplerHandle sampler, ref LlamaTokenDataArray candidates);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_free")]
    public static partial void SamplerFree(nint sampler);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_init_typical")]
    public static partial nint SamplerTypical(float p, nuint minimum);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_init_top_p")]
    public static partial nint SamplerTopP(float p, nuint minimum);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_init_min_p")]
    public static partial nint SamplerMinP(float p, nuint minimum);

    [LibraryImport(Llama, EntryPoint = "llama_sampler_init_temp")]
    public static partial nint SamplerTemperature(float temperature);
}
