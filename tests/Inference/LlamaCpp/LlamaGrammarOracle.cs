using System.Runtime.InteropServices;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Native.LlamaCpp;

namespace OllamaMax.Inference.Tests.LlamaCpp;

/// <summary>llama.cpp's own grammar sampler, to compare with. Only for grammars and tokens that it survives.</summary>
internal sealed unsafe class LlamaGrammarOracle : IDisposable
{
    private static readonly nint s_library = NativeLibrary.Load(LlamaLocator.FindLibrary(LlamaLocator.FindDirectory(), LlamaApi.Llama)!);

    private readonly LlamaModelHandle _model;
    private readonly LlamaSamplerHandle _chain;
    private readonly delegate* unmanaged[Cdecl]<nint, int, void> _accept;

    public LlamaGrammarOracle(string path, string gbnf)
    {
        TestModels.Load(TestModels.Tiny).Dispose();
        _model = LlamaApi.ModelLoad(path, LlamaApi.ModelDefaultParams());
        var create = (delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint>)NativeLibrary.GetExport(s_library, "llama_sampler_init_grammar");
        _accept = (delegate* unmanaged[Cdecl]<nint, int, void>)NativeLibrary.GetExport(s_library, "llama_sampler_accept");
        byte* grammar = (byte*)Marshal.StringToCoTaskMemUTF8(gbnf), root = (byte*)Marshal.StringToCoTaskMemUTF8("root");
        _chain = LlamaApi.SamplerChain(noPerformance: 1);
        nint sampler = create(LlamaApi.ModelVocabulary(_model), grammar, root);
        Marshal.FreeCoTaskMem((nint)grammar);
        Marshal.FreeCoTaskMem((nint)root);
        sampler.ShouldNotBe(0);
        LlamaApi.SamplerAdd(_chain, sampler);
    }

    public int[] Allowed(int vocabularySize)
    {
        Candidate[] candidates = [.. Enumerable.Range(0, vocabularySize).Select(static token => new Candidate { Token = token })];
        fixed (Candidate* data = candidates)
        {
            LlamaTokenDataArray array = new() { Data = data, Size = (nuint)candidates.Length, Selected = -1 };
            LlamaApi.SamplerApply(_chain, ref array);
        }
        return [.. candidates.Where(static candidate => candidate.Logit == 0).Select(static candidate => candidate.Token)];
    }

    public void Accept(int token) => _accept(_chain.DangerousGetHandle(), token);

    public void Dispose()
    {
        _chain.Dispose();
        _model.Dispose();
    }
}
