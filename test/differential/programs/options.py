#% the default of VALUE
#: max_workers ; run_timeout ; request_timeout ; metadata_request_timeout ; request_max_retries ; request_retry_base_delay ; max_recursion_factor ; save_user_settings ; prompt_to_login ; no_login ; pyodide_async_requests ; never_import ; gcs_secret ; logging ; verbose_udf_runs ; default_run_headers ; default_dtype_out_vector ; default_dtype_out_raster ; fd_prefix ; verbose_cached_functions ; realtime_client_id ; show.enable_tqdm
answer = fused.options.VALUE

#% an option converts VALUE
#: "5" ; 7 ; 3.0 ; True
before = fused.options.max_workers
try:
    fused.options.max_workers = VALUE
    answer = fused.options.max_workers
finally:
    fused.options.max_workers = before

#% an option refuses VALUE
#! differs: the same class by name, with a message of our own
#! ours: value == [True, "ValidationError"]
#: "x" ; 1.5 ; None ; []
found = attempt(setattr, fused.options, "max_workers", VALUE)
answer = [isinstance(found, ValueError), type(found).__name__, str(found).split("For further")[0]]
answer = answer if "pydantic" in type(found).__module__ else answer[:2]

#% an option of an unknown name
found = attempt(setattr, fused.options, "no_such_option", 1)
answer = [isinstance(found, ValueError), type(found).__name__]

#% reading an option of an unknown name
answer = fused.options.no_such_option

#% base_web_url is read only
found = attempt(setattr, fused.options, "base_web_url", "http://x")
answer = type(found).__name__
