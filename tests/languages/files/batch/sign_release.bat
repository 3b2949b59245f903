@echo off
setlocal

call :SignInstaller dist\setup.exe
call :CopyToShare dist\setup.exe
exit /b 0

:: Puts a signature with our certificate on the installer.
:SignInstaller
signtool sign /fd sha256 /tr http://timestamp.example.com "%~1"
if errorlevel 1 exit /b 1
goto :eof

:CopyToShare
copy /y "%~1" \\builds\release
goto :eof
